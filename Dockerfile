# The gateway's image: `docker build -t bigcommerce-segments-gateway .`
# Three stages: the GraphiQL page, the wheel in an environment of its own, and that environment alone.

# For production, give both by digest: docs/deployment.md, "As a container".
ARG NODE_IMAGE=node:22-slim
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${NODE_IMAGE} AS graphiql
WORKDIR /src/graphiql
COPY graphiql/package.json graphiql/package-lock.json graphiql/.npmrc ./
RUN npm ci
COPY graphiql/ ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements/build.txt requirements/otel.txt requirements/
RUN python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt
RUN python -m venv --without-pip /opt/gateway
# All of run.txt, and OpenTelemetry, which does nothing until an OTEL_ variable is set.
RUN python -m pip --python /opt/gateway/bin/python install --no-cache-dir --require-hashes -r requirements/otel.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway/ gateway/
COPY --from=graphiql /src/gateway/web/static/graphiql/ gateway/web/static/graphiql/
RUN python -m hatchling build --target wheel
RUN python -m pip --python /opt/gateway/bin/python install --no-cache-dir --no-deps dist/*.whl
RUN python -m compileall -q -f --invalidation-mode unchecked-hash /opt/gateway/lib

FROM ${PYTHON_IMAGE}
# The base image has no byte code of the standard library, and who runs the gateway cannot write it:
# each start would compile it anew. By hash, since layers may change the times of files.
RUN python -m compileall -q --invalidation-mode unchecked-hash -x /site-packages/ \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["gateway"]
# It needs a setting that says who may ask, such as GATEWAY_API_KEYS_FILE: docs/security.md.
CMD ["serve", "--host", "0.0.0.0"]
# Last, so that another revision builds nothing anew: --build-arg REVISION="$(git rev-parse HEAD)".
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bigcommerce-segments-gateway" \
    org.opencontainers.image.description="A GraphQL gateway in front of BigCommerce's Customer Segmentation REST API: Relay connections, few upstream requests." \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
