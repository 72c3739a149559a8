//go:build gsstsig

package rfc2136

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// maxKDCReply is more than any reply of a KDC has: a ticket is at most 64 KiB.
const maxKDCReply = 1 << 18

// ask sends a request to the KDCs of the realm, one after the other until one answers, and
// over TCP alone: a datagram is soon forged, and too small for the tickets of Active
// Directory. A reply that is an error of Kerberos is a kerberosError.
func (a *account) ask(ctx context.Context, c *config.Config, realm string, request []byte) ([]byte, error) {
	kdcs, err := kdcsOf(ctx, c, realm)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, address := range kdcs {
		reply, err := a.askOne(ctx, address, request)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("KDC %s: %w", address, err))
			continue
		}
		var refusal messages.KRBError
		if refusal.Unmarshal(reply) == nil {
			return nil, &kerberosError{refusal}
		}
		return reply, nil
	}
	return nil, &unreachable{realm, errors.Join(errs...)}
}

// unreachable is the error of a realm of which no KDC answers.
type unreachable struct {
	realm string
	err   error
}

// Error is in one line.
func (u *unreachable) Error() string {
	return fmt.Sprintf("no KDC of realm %s can be reached: %s", u.realm, strings.ReplaceAll(u.err.Error(), "\n", "; "))
}

func (u *unreachable) Unwrap() error { return u.err }

// kdcsOf returns the addresses of the realm's KDCs, in the order of the configuration or of
// their SRV records.
func kdcsOf(ctx context.Context, c *config.Config, realm string) (addresses []string, err error) {
	for _, r := range c.Realms {
		if r.Realm == realm {
			addresses = append(addresses, r.KDC...)
		}
	}
	switch {
	case len(addresses) > 0:
		return addresses, nil
	case !c.LibDefaults.DNSLookupKDC:
		return nil, &unreachable{realm, errors.New("the Kerberos configuration names none")}
	}
	_, found, err := net.DefaultResolver.LookupSRV(ctx, "kerberos", "tcp", realm)
	if err != nil {
		return nil, &unreachable{realm, fmt.Errorf("the Kerberos configuration names none, and DNS: %w", err)}
	}
	for _, r := range found {
		addresses = append(addresses, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	return addresses, nil
}

// askOne sends the request with its length before it (RFC 4120, section 7.2.2).
func (a *account) askOne(ctx context.Context, address string, request []byte) (reply []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w within %s", errNoReply, a.timeout)
		}
	}()
	conn, err := a.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)); err != nil {
		return nil, err
	}
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxKDCReply {
		return nil, fmt.Errorf("a reply of %d octets", n)
	}
	reply = make([]byte, n)
	_, err = io.ReadFull(conn, reply)
	return reply, err
}
