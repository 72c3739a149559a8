#!/bin/sh
# /etc/dehydrated/hook.sh: dehydrated runs it at each step, with what it is about as
# arguments. tlsaroll takes the pair of deploy_cert and sync_cert, and lets all others pass.
exec /usr/local/bin/tlsaroll hook dehydrated "$@"
