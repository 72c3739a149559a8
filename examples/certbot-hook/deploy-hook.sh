#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/tlsaroll: certbot runs all that is in that directory
# for each certificate that it has renewed, and names it in RENEWED_LINEAGE.
exec /usr/local/bin/tlsaroll hook certbot
