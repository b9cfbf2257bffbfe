# Varnish 7 as the shared cache of clients without credentials: docs/cdn.md.
#
#   varnishd -F -a :8080 -f "$PWD/examples/cdn/varnish.vcl" -s malloc,256m
#
# The gateway needs GATEWAY_SHARED_CACHES=true, and the names of its clients in GATEWAY_ALLOWED_HOSTS:
# Varnish hands their `Host` on. What is not said here is as in Varnish's own VCL: a request with an
# `Authorization` passes, and `private` and `no-store` are not stored.
vcl 4.1;

import std;

backend gateway {
    .host = "127.0.0.1";
    .port = "8000";
    .probe = {
        .url = "/health/ready";
        .interval = 2s;
        .timeout = 3s;
        .window = 3;
        .threshold = 2;
        .initial = 2;
    }
}

# Who may purge.
acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403));
        }
        if (req.http.Cache-Tag !~ "^[0-9a-z-]+$" ||
            !std.ban("obj.http.Cache-Tag ~ (^|,)" + req.http.Cache-Tag + "(,|$)")) {
            return (synth(400));
        }
        return (synth(204));
    }

    # Metrics, the status page and health are not for clients.
    if (req.url !~ "^/graphql([/?]|$)") {
        return (synth(404));
    }

    # The gateway reads none, and a page's others would make each request pass.
    unset req.http.Cookie;

    # One stored answer for each media type, not for each text of `Accept`. Browsers, which want a
    # page, and other types keep theirs.
    if (req.http.Accept ~ "application/graphql-response\+json") {
        set req.http.Accept = "application/graphql-response+json";
    } elsif (!req.http.Accept || req.http.Accept ~ "^(\*/\*|application/json)") {
        set req.http.Accept = "application/json";
    }
    set req.url = std.querysort(req.url);

    # While one request refreshes an answer, others get the old one. While the gateway is away, all do.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 2s;
    }
}

sub vcl_backend_response {
    set beresp.grace = 10m;
    # A refresh that fails leaves the old answer in its place.
    if (bereq.is_bgfetch && beresp.status >= 500) {
        return (abandon);
    }
}

sub vcl_deliver {
    unset resp.http.Cache-Tag;
    # RFC 9211. A negative ttl is the time since the answer became stale.
    if (obj.hits > 0) {
        set resp.http.Varnish-Status = "varnish; hit; ttl=" + regsub("" + obj.ttl, "\..*", "");
    } else {
        set resp.http.Varnish-Status = "varnish; fwd=miss";
    }
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + resp.http.Varnish-Status;
    } else {
        set resp.http.Cache-Status = resp.http.Varnish-Status;
    }
    unset resp.http.Varnish-Status;
    # It is that of the request that was answered first.
    if (obj.hits > 0) {
        unset resp.http.X-Request-Id;
    }
}

sub vcl_synth {
    set resp.http.Cache-Control = "no-store";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    set resp.body = resp.reason;
    return (deliver);
}
