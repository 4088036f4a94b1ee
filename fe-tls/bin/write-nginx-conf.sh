#!/bin/sh
# write-nginx-conf.sh DOMAIN: writes nginx's TLS site for DOMAIN; fe picks it up within seconds.
. "$(dirname "$0")/tls-common.sh"
[ $# -eq 1 ] || die "usage: write-nginx-conf.sh DOMAIN"
check_domain "$1"

sed -e "s|@DOMAIN@|$1|g" "$LEVITY_TLS_TEMPLATES/site.conf.template" >"$LEVITY_SITE_DIR/site.conf.new"
printf '%s\n' "$1" >"$LEVITY_SITE_DIR/domain"
mv "$LEVITY_SITE_DIR/site.conf.new" "$LEVITY_SITE_DIR/site.conf.template"
say "nginx serves $1 now, as soon as there is a certificate"
