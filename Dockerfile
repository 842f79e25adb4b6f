# One image for all daemons; the command chooses: argus serve|pap|pdp|pepd.
FROM python:3.11-slim

# A new volume takes the owner of the folder it is mounted on, so the daemons can write to theirs.
RUN useradd --system --uid 8150 --home-dir /var/lib/argus argus \
 && install --directory --owner argus /var/lib/argus /etc/grid-security/gridmapdir
WORKDIR /opt/argus
COPY pyproject.toml README.md LICENSE ./
COPY argus_py argus_py
COPY alembic alembic
RUN pip install --no-cache-dir '.[postgresql]'

USER argus
EXPOSE 8150 8152 8154
ENTRYPOINT ["argus"]
CMD ["serve"]
