# responder as an image: built with uv from uv.lock, run by a user without rights, with no secret inside.
# Configuration comes from a folder mounted at /etc/responder; SQLite, if it is used, goes to /var/lib/responder.
ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
# From PyPI, where everything else comes from too: a mirror of one registry is enough to build this.
RUN pip install --no-cache-dir --disable-pip-version-check "uv==0.13.*"
ENV UV_PROJECT_ENVIRONMENT=/opt/responder \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
WORKDIR /src
# The dependencies first: this layer stays while only our own code changes.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --extra lmtp --no-install-project
COPY README.md LICENSE ./
COPY alertmanager alertmanager
COPY rules/policy rules/policy
COPY responder responder
RUN uv sync --frozen --no-dev --extra lmtp --no-editable

FROM python:${PYTHON}
# A number of its own, so that files in volumes can be given to it by other containers.
RUN groupadd --gid 10001 responder \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/responder --create-home --shell /usr/sbin/nologin responder
COPY --from=build /opt/responder /opt/responder
ENV PATH=/opt/responder/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/responder
VOLUME /var/lib/responder
EXPOSE 9180
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9180/-/healthy', timeout=2)"]
ENTRYPOINT ["responder"]
CMD ["serve", "--config", "/etc/responder/responder.yml"]
