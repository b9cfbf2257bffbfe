import pytest

from gateway.settings import Settings, SettingsError, load_settings


def settings_of(**variables: str) -> Settings:
    return load_settings({f"GATEWAY_{name}": value for name, value in variables.items()})


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("localhost", "localhost"),
        (" gateway , *.shop.example,127.0.0.1:8000 ", "gateway,*.shop.example,127.0.0.1:8000"),
        ("[::1],[2001:db8::1]:8443", "[::1],[2001:db8::1]:8443"),
        ("my_service,xn--bcher-kva.example", "my_service,xn--bcher-kva.example"),
        ("*", "*"),
    ],
)
def test_hosts_are_taken_without_white_space(text: str, hosts: str) -> None:
    assert settings_of(ALLOWED_HOSTS=text).allowed_hosts == hosts


def test_default_hosts_are_those_of_loopback() -> None:
    default = Settings().allowed_hosts
    assert default == "localhost,127.0.0.1,[::1]"
    assert settings_of(ALLOWED_HOSTS=default).allowed_hosts == default


@pytest.mark.parametrize(
    "text",
    [
        "https://stranger.example",
        "stranger.example/",
        "stranger.example,",
        ",",
        "stranger example",
        "stranger.example:0",
        "stranger.example:",
        "*.stranger.example:8000",
        "*stranger.example",
        "eu.*.stranger.example",
        "stranger..example",
        ".stranger.example",
        "::1",
        "[::1",
        "[1::1::1]",
        "[127.0.0.1]",
        "user@stranger.example",
        "stränger.example",
    ],
)
def test_other_hosts_are_refused(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(ALLOWED_HOSTS=text)
    assert str(caught.value) == (
        "GATEWAY_ALLOWED_HOSTS: It has to be hosts without scheme and path, separated by commas, "
        "such as localhost,127.0.0.1,[::1] or shop.example,*.shop.example; * allows any."
    )


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("https://shop.example", "https://shop.example"),
        (" https://a.example , http://localhost:3000", "https://a.example,http://localhost:3000"),
        (
            "https://shop.example:8443,http://[::1]:3000",
            "https://shop.example:8443,http://[::1]:3000",
        ),
        ("http://shop.example:443", "http://shop.example:443"),
        ("capacitor://localhost:80", "capacitor://localhost:80"),
    ],
)
def test_origins_are_taken_without_white_space(text: str, origins: str) -> None:
    assert settings_of(CORS_ORIGINS=text).cors_origins == origins


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "stranger.example",
        "https://stranger.example/",
        "https://stranger.example/shop",
        "https://*.stranger.example",
        "https://Stranger.example",
        "HTTPS://stranger.example",
        "https://stranger.example:443",
        "http://stranger.example:80",
        "https://stranger.example,",
        "https://user@stranger.example",
        "https://[1::1::1]",
        "https://",
    ],
)
def test_other_origins_are_refused(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(CORS_ORIGINS=text)
    assert str(caught.value) == (
        "GATEWAY_CORS_ORIGINS: It has to be origins as browsers send them, separated by commas, "
        "such as https://shop.example or http://localhost:3000: in lower case, with a scheme, "
        "without a path, a final slash or the scheme's own port; * and null are refused."
    )


@pytest.mark.parametrize("setting", [None, True, False])
def test_what_is_off_for_a_real_store_is_on_if_asked_for(setting: bool | None) -> None:
    store = {"STORE_HASH": "abc123", "ACCESS_TOKEN": "t0k3n"}
    on_loopback = settings_of(**store, UPSTREAM_URL="http://127.0.0.1:8001")
    assert Settings().by_default_on_the_emulator(setting) is (setting is not False)
    assert on_loopback.by_default_on_the_emulator(setting) is (setting is not False)
    assert settings_of(**store).by_default_on_the_emulator(setting) is (setting is True)
