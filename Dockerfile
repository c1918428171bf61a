# One image for every process of ocpfleet; the command says which. Runs as an ordinary user.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/ocpfleet
COPY requirements.txt ./
RUN /opt/ocpfleet/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY core core
COPY infra infra
COPY app app
COPY workers workers
COPY cli cli
COPY demo demo
RUN /opt/ocpfleet/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ocpfleet ocpfleet
COPY --from=build /opt/ocpfleet /opt/ocpfleet
ENV PATH=/opt/ocpfleet/bin:$PATH PYTHONUNBUFFERED=1
USER ocpfleet
WORKDIR /var/lib/ocpfleet
RUN mkdir var
VOLUME /var/lib/ocpfleet/var
CMD ["ocpfleet", "--help"]
