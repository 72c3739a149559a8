package sim

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// keys are those that were made ahead, by lineage. What a host has of them is what
// stands for its next certificate.
type keys struct{ s *shell }

func (k keys) Next(lineage string) (certwatch.Key, error) {
	held, ok := k.s.keyring[lineage]
	if !ok {
		return certwatch.Key{}, fmt.Errorf("keys: %s: %w", lineage, fs.ErrNotExist)
	}
	return held, nil
}

// Make makes a key of this world, whatever is its type.
func (k keys) Make(lineage string, _ certwatch.KeyType) (certwatch.Key, error) {
	if held, ok := k.s.keyring[lineage]; ok {
		return held, nil
	}
	k.s.fuse.point("before a key is made")
	made, err := hold(k.s.NewKey())
	if err != nil {
		k.s.T.Fatal(err)
	}
	k.s.keyring[lineage] = made
	if k.s.Hosts[lineage].Standby, err = made.Association(); err != nil {
		k.s.T.Fatal(err)
	}
	k.s.note("%s has the standby key %s", lineage, k.s.Hosts[lineage].Standby)
	k.s.fuse.point("after a key is made")
	return made, nil
}

// Drop takes a key out, which must be of use no more: the pair that has it is live.
func (k keys) Drop(lineage string) error {
	h, l := k.s.Hosts[lineage], k.s.State.Lineages[lineage]
	if live := k.s.Chains[h.Live]; live == nil || live.SPKI() != h.Standby.Data || l.Swapping != nil {
		k.s.broke("%s: the standby key %s is thrown away, and is not that of a pair whose swap is verified", lineage, h.Standby)
	}
	k.s.fuse.point("before a key is dropped")
	k.s.forget(lineage)
	k.s.fuse.point("after a key is dropped")
	return nil
}

func (k keys) Path(lineage string) string { return "keys/" + lineage + ".pem" }

func (keys) Sweep() ([]string, error) { return nil, nil }

// forget is a key that is gone, whoever took it.
func (s *shell) forget(lineage string) {
	delete(s.keyring, lineage)
	s.Hosts[lineage].Standby = tlsa.Association{}
}

// hold is a key as a room keeps it.
func hold(key any) (certwatch.Key, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return certwatch.Key{}, err
	}
	return certwatch.ParseKey("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
