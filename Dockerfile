# One image for web, worker and release (docs/deploy.md#containers).
# Another base has to have Python 3.11 or newer with venv, of Debian 13.
ARG BASE=docker.io/library/python:3.13-slim-trixie

FROM ${BASE} AS build
# requirements-mcp.txt holds requirements.txt and what manage.py mcp needs besides.
ARG REQUIREMENTS=requirements.txt
WORKDIR /srv/dashboard
COPY requirements.txt requirements-mcp.txt ./
# The wheels are compiled already: nothing here needs a compiler. Tests of other
# packages, and pip itself, are no use to the running product.
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r "$REQUIREMENTS" \
 && /opt/venv/bin/pip uninstall --yes --quiet pip \
 && find /opt/venv -type d -name tests -prune -exec rm -rf {} + \
 && find /opt/venv -type d -path '*/pyarrow/include' -prune -exec rm -rf {} +
COPY . .
RUN /opt/venv/bin/python -m compileall -q .

FROM ${BASE}
# pg_dump and its kin, for manage.py backup and the weekly test of a backup: not older
# than the server of compose.yaml.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/* /usr/local/bin/pip* /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/site-packages/pip* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/dashboard --shell /usr/sbin/nologin dashboard \
 && install -d -m 700 -o dashboard -g dashboard /var/lib/dashboard
COPY --from=build /opt/venv /opt/venv
# Belongs to root: what the product is made of, it cannot change.
COPY --from=build /srv/dashboard /srv/dashboard
WORKDIR /srv/dashboard
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/dashboard \
    VAR_DIR=/var/lib/dashboard \
    PORT=8000
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=4)"]
CMD ["sh", "-c", "WEB_PROCESSES=$WEB_CONCURRENCY exec env -u WEB_CONCURRENCY gunicorn reboot_site.wsgi --config reboot_site/gunicorn.py"]
