# Read by the other scripts: where things lie, and what a domain looks like. Not to be run.
# shellcheck shell=sh disable=SC2034
set -eu
umask 077

: "${LEVITY_SITE_DIR:=/etc/nginx/levity-site}"
: "${LEVITY_TLS_DIR:=/etc/letsencrypt}"
: "${LEVITY_ACME_DIR:=/var/www/acme}"
: "${LEVITY_TLS_TEMPLATES:=/usr/local/share/levity}"
: "${LEVITY_TLS_WORK_DIR:=/tmp/certbot}"

say() { echo "$(basename "$0" .sh): $*" >&2; }
die() { say "$*"; exit 1; }

# A host name as it stands in DNS, or an IPv4 address for a self-signed certificate; nothing that
# means something to nginx, openssl or a shell.
check_domain() {
    case $1 in
    *://* | */* | *:*) die "'$1': write the domain alone, such as chargers.example.com" ;;
    '' | -* | .* | *. | *..* | *[!A-Za-z0-9.-]*) die "'$1' is not a domain, such as chargers.example.com" ;;
    esac
    [ ${#1} -le 253 ] || die "a domain has at most 253 characters"
}
is_address() { case $1 in *[!0-9.]*) return 1 ;; *.*.*.*) return 0 ;; *) return 1 ;; esac; }

# nginx reads current/rsa and current/ecdsa; certificate and key change in one step.
use() { # KIND FOLDER (relative to current/)
    mkdir -p "$LEVITY_TLS_DIR/current"
    ln -sfn "$2" "$LEVITY_TLS_DIR/current/$1.new"
    mv -T "$LEVITY_TLS_DIR/current/$1.new" "$LEVITY_TLS_DIR/current/$1"
}
in_use() { readlink "$LEVITY_TLS_DIR/current/$1" 2>/dev/null || true; }

# certbot as an ordinary user; LEVITY_ACME_SERVER names another authority than Let's Encrypt.
run_certbot() {
    certbot "$@" --non-interactive --config-dir "$LEVITY_TLS_DIR" \
        --work-dir "$LEVITY_TLS_WORK_DIR" --logs-dir "$LEVITY_TLS_WORK_DIR/logs"
}
