# One image for web, worker, beat and one-off commands; compose.yaml says which runs what.
FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY config/requirements.lock /tmp/requirements.lock
RUN /venv/bin/pip install --require-hashes -r /tmp/requirements.lock

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 offprint && install -d -o offprint /data /state
COPY --from=build /venv /venv
WORKDIR /app
COPY --chown=root:root manage.py pyproject.toml LICENSE ./
COPY --chown=root:root config config
COPY --chown=root:root digest digest
COPY --chown=root:root subscriptions subscriptions
COPY --chown=root:root templates templates
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/data STATE_DIR=/state OFFPRINT_DOTENV=no
USER offprint
VOLUME /data /state
EXPOSE 8000
# No control socket in $HOME; the lease of a letter outlasts a worker's timeout, so a stop loses nothing.
CMD ["gunicorn", "config.wsgi", "--no-control-socket", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
     "--timeout", "30", "--max-requests", "2000", "--max-requests-jitter", "200", "--access-logfile", "/dev/null"]
