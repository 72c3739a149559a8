//go:build gsstsig

package rfc2136

import (
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ticket is a ticket for a service, with what only the KDC, the service and we know.
type ticket struct {
	ticket messages.Ticket
	cname  types.PrincipalName
	crealm string
	key    func() types.EncryptionKey // a function, so that nothing prints it
	until  time.Time
}

// maxReferrals is how many realms there may be between the account's and the service's.
const maxReferrals = 5

// ticketFor gets a ticket for the service, by way of a fresh one that is for getting
// tickets: that is one exchange more each time, and nothing to keep, to renew and to
// find outdated.
func (a *account) ticketFor(ctx context.Context, service types.PrincipalName, realm string) (t *ticket, err error) {
	defer caught(&err, "the KDC's reply cannot be read")
	c, err := a.configuration()
	if err != nil {
		return nil, err
	}
	home, err := a.home(c)
	if err != nil {
		return nil, err
	}
	kt, ciphers, err := a.keys(home)
	if err != nil {
		return nil, err
	}
	if realm == "" {
		realm = c.ResolveRealm(service.NameString[len(service.NameString)-1])
	}
	if realm == "" {
		realm = home
	}
	t, err = a.login(ctx, c, home, kt, ciphers)
	for hop := 0; err == nil; hop++ {
		here := t.ticket.SName.NameString[len(t.ticket.SName.NameString)-1]
		want := service
		if here != realm && hop == 0 {
			want = types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}
		}
		if t, err = a.exchange(ctx, c, here, t, want); err != nil {
			break
		}
		if t.ticket.SName.Equal(service) {
			return t, nil
		}
		if hop == maxReferrals {
			err = errors.New("the KDCs send us from realm to realm")
		}
	}
	return nil, err
}

// login gets the ticket that tickets are got with (RFC 4120, section 3.1).
func (a *account) login(ctx context.Context, c *config.Config, realm string, kt *keytab.Keytab, ciphers []int32) (*ticket, error) {
	// The first suits our key; the others may be what suits the KDC, for a key of the session.
	c.LibDefaults.DefaultTktEnctypeIDs = append(slices.Clone(ciphers), aes()...)
	request, err := messages.NewASReqForTGT(realm, c, a.name)
	if err != nil {
		return nil, err
	}
	raw, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := a.ask(ctx, c, realm, raw)
	var refusal *kerberosError
	if errors.As(err, &refusal) && refusal.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		if request.PAData, err = a.proof(refusal.EData, realm, kt, ciphers); err != nil {
			return nil, err
		}
		if raw, err = request.Marshal(); err != nil {
			return nil, err
		}
		reply, err = a.ask(ctx, c, realm, raw)
	}
	if err != nil {
		return nil, err
	}
	var rep messages.ASRep
	if err := rep.Unmarshal(reply); err != nil {
		return nil, fmt.Errorf("the KDC's reply cannot be read: %s", plain(err))
	}
	// Of the key's number no notice is taken, as by others: keytabs that were made of a password
	// by hand have any number.
	rep.EncPart.KVNO = 0
	who := credentials.NewFromPrincipalName(a.name, realm).WithKeytab(kt)
	if _, err := rep.DecryptEncPart(who); err != nil {
		return nil, errors.New("the KDC's reply cannot be decrypted with the key in the keytab (hint: was the password changed after the keytab was made?)")
	}
	if ok, err := rep.Verify(c, who, request); err != nil || !ok {
		return nil, fmt.Errorf("the KDC's reply is not believed: %s", plain(err))
	}
	part := rep.DecryptedEncPart
	return &ticket{rep.Ticket, a.name, realm, func() types.EncryptionKey { return part.Key }, part.EndTime}, nil
}

// proof shows that we hold the key: the time, encrypted (RFC 4120, section 5.2.7.2). The
// cipher is the first that the KDC names and the keytab has a key for.
func (a *account) proof(hints []byte, realm string, kt *keytab.Keytab, ciphers []int32) (types.PADataSequence, error) {
	var offered types.PADataSequence
	if err := offered.Unmarshal(hints); err != nil {
		return nil, errors.New("the KDC wants a proof of the key, and what it says of it cannot be read")
	}
	var known []int32
	for _, pa := range offered {
		if pa.PADataType != patype.PA_ETYPE_INFO2 {
			continue
		}
		infos, err := pa.GetETypeInfo2()
		if err != nil {
			return nil, errors.New("the KDC wants a proof of the key, and the ciphers that it names cannot be read")
		}
		for _, info := range infos {
			if slices.Contains(ciphers, info.EType) {
				known = append(known, info.EType)
			}
		}
	}
	if len(known) == 0 {
		return nil, errors.New("the KDC has no key of the ciphers in the keytab (hint: make a new keytab)")
	}
	cipher := known[0]
	key, _, err := kt.GetEncryptionKey(a.name, realm, 0, cipher)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC()
	stamp, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: now.Truncate(time.Second), PAUSec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, err
	}
	sealed, err := crypto.GetEncryptedData(stamp, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
	if err != nil {
		return nil, errors.New("the proof of the key cannot be encrypted")
	}
	value, err := sealed.Marshal()
	if err != nil {
		return nil, err
	}
	return types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}}, nil
}

// exchange gets a ticket for a service with another ticket (RFC 4120, section 3.3): the
// one asked for, or one of another realm that knows more.
func (a *account) exchange(ctx context.Context, c *config.Config, realm string, with *ticket, service types.PrincipalName) (*ticket, error) {
	request, err := messages.NewTGSReq(a.name, realm, c, with.ticket, with.key(), service, false)
	if err != nil {
		return nil, err
	}
	raw, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := a.ask(ctx, c, realm, raw)
	if err != nil {
		return nil, err
	}
	var rep messages.TGSRep
	if err := rep.Unmarshal(reply); err != nil {
		return nil, fmt.Errorf("the KDC's reply cannot be read: %s", plain(err))
	}
	if rep.DecryptEncPart(with.key()) != nil {
		return nil, errors.New("the KDC's reply is not believed: it cannot be decrypted")
	}
	if ok, err := rep.Verify(c, request); err != nil || !ok {
		return nil, fmt.Errorf("the KDC's reply is not believed: %s", plain(err))
	}
	part := rep.DecryptedEncPart
	// The library does not look at whom the ticket is for.
	referral := part.SName.NameString[0] == "krbtgt" && len(part.SName.NameString) == 2
	switch {
	case !part.SName.Equal(rep.Ticket.SName) || (!part.SName.Equal(service) && !referral):
		return nil, fmt.Errorf("the KDC's reply is not believed: the ticket is for %s", part.SName.PrincipalNameString())
	case !isAES(part.Key.KeyType):
		return nil, fmt.Errorf("the ticket's key is of cipher %d, and only AES is spoken (hint: allow AES for the account of the server)", part.Key.KeyType)
	}
	return &ticket{rep.Ticket, a.name, with.crealm, func() types.EncryptionKey { return part.Key }, part.EndTime}, nil
}
