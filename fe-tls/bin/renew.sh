#!/bin/sh
# What fe_tls does all day: renews certificates in their last third. nginx notices by itself.
# `renew.sh once` does it once.
. "$(dirname "$0")/tls-common.sh"
trap 'exit 0' TERM INT

renew() {
    # A new release of this image brings a new site.
    if [ -s "$LEVITY_SITE_DIR/domain" ]; then
        domain=$(cat "$LEVITY_SITE_DIR/domain")
        sed -e "s|@DOMAIN@|$domain|g" "$LEVITY_TLS_TEMPLATES/site.conf.template" >"$LEVITY_SITE_DIR/site.conf.new"
        if cmp -s "$LEVITY_SITE_DIR/site.conf.new" "$LEVITY_SITE_DIR/site.conf.template"; then
            rm "$LEVITY_SITE_DIR/site.conf.new"
        else
            mv "$LEVITY_SITE_DIR/site.conf.new" "$LEVITY_SITE_DIR/site.conf.template"
            say "wrote the site of this release for $domain"
        fi
    fi
    if [ -d "$LEVITY_TLS_DIR/renewal" ]; then
        run_certbot renew --quiet --no-random-sleep-on-renew ||
            say "a renewal failed; the certificates in use stay until they expire. It is tried again"
    fi
    for kind in rsa ecdsa; do
        case $(in_use $kind) in
        ../self-signed/*)
            # 30 days before its end.
            openssl x509 -noout -checkend 2592000 -in "$LEVITY_TLS_DIR/current/$kind/fullchain.pem" >/dev/null ||
                sh "$(dirname "$0")/self-signed-cert.sh" "$(in_use $kind | sed "s|^../self-signed/||; s|-$kind\$||")"
            ;;
        esac
    done
    sh "$(dirname "$0")/certificates-healthy.sh" || true
}

renew
[ "${1:-}" != once ] || exit 0
while :; do
    # Twice a day, at a minute that differs from site to site, as Let's Encrypt asks.
    minutes=$(($(od -An -N2 -tu2 /dev/urandom) % 60))
    sleep $((39600 + minutes * 60)) &
    wait $! || true
    renew
done
