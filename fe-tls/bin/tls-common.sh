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

# --- client certificates ---

# Each certificate (CERTIFICATE) or list (X509 CRL) of a PEM file as a file of its own.
apart() { # KIND FILE FOLDER
    mkdir -p "$3"
    awk -v begin="-----BEGIN $1-----" -v folder="$3" '
        index($0, begin) == 1 { out = folder "/" ++n ".pem" }
        out { print >out }
        /^-----END / && out { close(out); out = "" }' "$2"
}

# Which authorities have no list that they have signed. nginx then refuses all certificates of theirs.
without_list() { # FILE OF AUTHORITIES, FILE OF LISTS
    parts=$(mktemp -d)
    apart CERTIFICATE "$1" "$parts/ca"
    apart 'X509 CRL' "$2" "$parts/crl"
    for authority in "$parts"/ca/*.pem; do
        for list in "$parts"/crl/*.pem; do
            ! openssl crl -noout -CAfile "$authority" -in "$list" 2>&1 | grep -q 'verify OK' || continue 2
        done
        openssl x509 -noout -subject -in "$authority"
    done
    rm -rf "$parts"
}

# The lists of which less than this part of their time is left: 0 of those that are past it.
ending_lists() { # FILE OF LISTS, PERCENT
    parts=$(mktemp -d)
    apart 'X509 CRL' "$1" "$parts"
    now=$(date +%s)
    for list in "$parts"/*.pem; do
        [ -s "$list" ] || continue
        until=$(openssl crl -noout -nextupdate -in "$list" | cut -d= -f2)
        [ "$until" != NONE ] || continue
        since=$(date -d "$(openssl crl -noout -lastupdate -in "$list" | cut -d= -f2)" +%s)
        end=$(date -d "$until" +%s)
        [ $(((end - now) * 100)) -gt $(((end - since) * $2)) ] ||
            echo "$(openssl crl -noout -issuer -in "$list"), until $until"
    done
    rm -rf "$parts"
}
