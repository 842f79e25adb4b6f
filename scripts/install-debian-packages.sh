#!/bin/sh
# Installs the Debian packages the tests use, with root or sudo; without, or on other systems, it says what is missing.
set -eu

packages() {
    cut -d' ' -f1 <<'END'
postgresql                        the store's contract suite runs on a real server (own data folder, free port)
curl                              a TLS client that is not Python: proxies as client certificates, HTTP/1.1 behaviour
openssl                           a second opinion on certificates and proxies, s_client for session resumption
voms-clients                      proxies with attribute certificates made by the field's own tools, fresh in every run
liblcmaps0                        the CEs' own mapping leases accounts from one gridmapdir together with ours
lcmaps-plugins-basic-poolaccount  LCMAPS: pool accounts by DN
lcmaps-plugins-basic-localaccount LCMAPS: accounts by DN
lcmaps-plugins-basic-dummy        LCMAPS: the end of a policy
lcmaps-plugins-voms               LCMAPS: groups and pool accounts by FQAN
sudo                              how pilots start argus-glexec
libnss-wrapper                    accounts and groups that exist for one process only
nordugrid-arc-hed                 arched and its echo service, behind a PDP client that is not ours
nordugrid-arc-plugins-needed      that PDP client
END
}

missing=
for package in $(packages); do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "not a Debian system; the tests use what Debian calls$missing" >&2
    exit 0
elif [ "$(id -u)" = 0 ]; then sudo=
elif command -v sudo >/dev/null; then sudo=sudo
else
    echo "no root, no sudo; the tests use the missing Debian packages$missing" >&2
    exit 0
fi
echo "installing Debian packages for the tests:$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086  # a list of package names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
