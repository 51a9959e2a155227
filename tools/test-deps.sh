#!/usr/bin/env bash
# Installs what the tests need from Debian's packages, as root or with sudo, and says what it could not.
# The tests talk to real peers: a missing one is a failure, never a silent skip.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  rsyslog rsyslog-gnutls bsdutils      # senders: rsyslog with TLS and logger (loggen: below)
  postfix sasl2-bin libsasl2-modules libsasl2-modules-db swaks openssl  # receivers by mail, AUTH, S/MIME
  nginx-light tinyproxy squid          # receivers by HTTP, proxies
  dovecot-imapd dovecot-pop3d          # mailboxes that are polled
  openssh-server frr dnsmasq-base iproute2          # devices that are asked, name resolution
  libxml2-utils                        # xmllint holds our XML to its schema
  prometheus-alertmanager              # measured beside us, as rsyslog, syslog-ng and Postfix are
  logrotate                            # rotation of followed files
  strace curl tmux procps              # looking from outside
  postgresql                           # the back end's other database
  gcc libc6-dev                        # the race detector needs a C compiler
)

# The OpenID Connect provider that sign-in is tried at comes from npm; a Node that is there already is left alone.
command -v npm >/dev/null || packages+=(nodejs npm)

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "test-deps: need root or sudo to install: ${packages[*]}" >&2; exit 1; }
  sudo=(sudo)
fi

missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "test-deps: installing ${missing[*]}"
  "${sudo[@]}" apt-get update -q
  # Nothing of it runs as a service here: the tests start their own copies on high ports.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${sudo[@]}" chmod +x /usr/sbin/policy-rc.d
    trap '"${sudo[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  echo 'postfix postfix/main_mailer_type select No configuration' | "${sudo[@]}" debconf-set-selections
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

# syslog-ng cannot be installed beside rsyslog, so it is unpacked into .tools/ and run from there.
if [ ! -e .tools/syslog-ng/usr/lib/syslog-ng/3.38/libhttp.so ]; then
  echo "test-deps: unpacking syslog-ng"
  mkdir -p .tools/deb
  apt-cache show syslog-ng-core >/dev/null 2>&1 || "${sudo[@]}" apt-get update -q
  (cd .tools/deb && apt-get download -q syslog-ng-core syslog-ng-mod-http syslog-ng-mod-smtp)
  for need in libpcre3 libivykis0 libnet1 libesmtp6 libdbi1 libcurl4; do
    dpkg-query -W "$need" >/dev/null 2>&1 || (cd .tools/deb && apt-get download -q "$need" 2>/dev/null || true)
  done
  mkdir -p .tools/syslog-ng
  for deb in .tools/deb/*.deb; do dpkg -x "$deb" .tools/syslog-ng; done
  rm -rf .tools/deb
fi
