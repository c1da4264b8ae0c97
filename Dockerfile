# One image for every process: `docker run orderstream run NAME`. What it is told: infra/process/settings.py.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/image.lock requirements/image-tools.lock requirements/
RUN python -m venv /opt/orderstream && \
    /opt/orderstream/bin/python -m pip install --quiet --require-hashes -r requirements/image.lock
RUN python -m venv /opt/tools && \
    /opt/tools/bin/python -m pip install --quiet --require-hashes -r requirements/image-tools.lock
ENV PATH=/opt/tools/bin:$PATH
COPY . .
# The commit is part of the version, so that whatever says the version says it too.
ARG COMMIT=unknown
RUN sed -i "s/^version = \"[^\"]*/&+${COMMIT}/" pyproject.toml && \
    python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /tmp/wheel . && \
    /opt/orderstream/bin/python -m pip install --quiet --no-deps /tmp/wheel/*.whl
RUN containers/rootfs /opt/orderstream /rootfs && \
    cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
    --output-file /rootfs/usr/share/sbom/orderstream.cdx.json /rootfs/opt/orderstream/bin/python

# No shell, no package manager, no compiler: nothing but Python, its libraries and the product.
FROM scratch
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="orderstream" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /rootfs /
ENV PATH=/opt/orderstream/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORDERSTREAM_HOST=0.0.0.0 \
    ORDERSTREAM_ADMIN_PORT=9464 \
    ORDERSTREAM_RUN_DIR=/var/lib/orderstream
WORKDIR /var/lib/orderstream
USER 65532:65532
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-P", "-m", "infra.process.healthy"]
ENTRYPOINT ["orderstream"]
CMD ["--help"]
