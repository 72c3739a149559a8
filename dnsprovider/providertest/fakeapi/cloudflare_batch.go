package fakeapi

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// cloudflareRecord is a record in a request. What is not given is nil.
type cloudflareRecord struct {
	ID      string  `json:"id"`
	Type    *string `json:"type"`
	Name    *string `json:"name"`
	Content *string `json:"content"`
	TTL     *int    `json:"ttl"`
	Comment *string `json:"comment"`
	Data    *struct {
		Usage        *int    `json:"usage"`
		Selector     *int    `json:"selector"`
		MatchingType *int    `json:"matching_type"`
		Certificate  *string `json:"certificate"`
	} `json:"data"`
}

// batch carries out deletions, patches, replacements and additions, in this order and
// each list in its own; all or, at the first error, nothing
// (https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/).
func (c *Cloudflare) batch(w http.ResponseWriter, r *http.Request) {
	var b struct{ Deletes, Patches, Puts, Posts []cloudflareRecord }
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		answerCloudflare(w, http.StatusBadRequest, nil, nil, &cloudflareError{Code: 9207, Message: "Failed to parse the request body"})
		return
	}
	if n := len(b.Deletes) + len(b.Patches) + len(b.Puts) + len(b.Posts); n > c.MaxBatch {
		answerCloudflare(w, http.StatusBadRequest, nil, nil, &cloudflareError{Code: 1004, Message: fmt.Sprintf("A batch may have %d records.", c.MaxBatch)})
		return
	}
	t := &cloudflareBatch{c: c, records: c.Zone.Records("", "")}
	steps := []struct {
		list []cloudflareRecord
		do   func(cloudflareRecord) *cloudflareError
	}{{b.Deletes, t.remove}, {b.Patches, t.patch}, {b.Puts, t.put}, {b.Posts, t.post}}
	for _, step := range steps {
		for _, record := range step.list {
			if e := step.do(record); e != nil {
				answerCloudflare(w, e.status, nil, nil, e)
				return
			}
		}
	}
	t.commit()
	answerCloudflare(w, http.StatusOK, map[string]any{"deletes": b.Deletes, "patches": b.Patches, "puts": b.Puts, "posts": b.Posts}, nil)
}

// cloudflareBatch is what a batch makes of the records.
type cloudflareBatch struct {
	c       *Cloudflare
	records []Record
	removed []string
	changed []Record
	added   []Record
}

func (t *cloudflareBatch) index(id string) (int, *cloudflareError) {
	i := slices.IndexFunc(t.records, func(r Record) bool { return r.ID != "" && cloudflareRecordID(r.ID) == id })
	if i < 0 {
		return 0, &cloudflareError{status: http.StatusNotFound, Code: 81044, Message: "Record does not exist."}
	}
	return i, nil
}

func (t *cloudflareBatch) remove(r cloudflareRecord) *cloudflareError {
	i, e := t.index(r.ID)
	if e != nil {
		return e
	}
	t.removed = append(t.removed, t.records[i].ID)
	t.records = slices.Delete(t.records, i, i+1)
	return nil
}

// patch changes what is given. Only the TTL is, in what uses this.
func (t *cloudflareBatch) patch(r cloudflareRecord) *cloudflareError {
	i, e := t.index(r.ID)
	if e != nil {
		return e
	}
	if r.Content != nil || r.Data != nil || r.Name != nil || r.Type != nil {
		return &cloudflareError{status: http.StatusBadRequest, Code: 1004, Message: "this server patches the TTL alone"}
	}
	if r.TTL != nil {
		if e := checkCloudflareTTL(*r.TTL); e != nil {
			return e
		}
		t.records[i].TTL = *r.TTL
	}
	t.changed = append(t.changed, t.records[i])
	return nil
}

func (t *cloudflareBatch) put(cloudflareRecord) *cloudflareError {
	return &cloudflareError{status: http.StatusBadRequest, Code: 1004, Message: "this server has no PUT"}
}

func (t *cloudflareBatch) post(r cloudflareRecord) *cloudflareError {
	if r.Type == nil || r.Name == nil {
		return invalidCloudflare(9000, "DNS name is invalid.")
	}
	ttl := 1 // automatic
	if r.TTL != nil {
		ttl = *r.TTL
	}
	if e := checkCloudflareTTL(ttl); e != nil {
		return e
	}
	data, e := cloudflareRDATA(r)
	if e != nil {
		return e
	}
	name := fqdn(*r.Name)
	if name != t.c.Zone.Name && !strings.HasSuffix(name, "."+t.c.Zone.Name) {
		name = fqdn(strings.TrimSuffix(name, ".") + "." + t.c.Zone.Name)
	}
	for _, other := range t.records {
		switch {
		case other.Name != name:
		case other.Type == *r.Type && (other.Data == data || *r.Type == "TLSA" && strings.EqualFold(other.Data, data)):
			return &cloudflareError{status: http.StatusBadRequest, Code: 81058, Message: "An identical record already exists."}
		case other.Type == "NS" && name != t.c.Zone.Name:
			return &cloudflareError{status: http.StatusBadRequest, Code: 81056, Message: "NS records with that host already exist."}
		}
	}
	// A TLSA record beside a CNAME is taken: only A, AAAA and CNAME are kept apart
	// (https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/).
	added := Record{Name: name, Type: *r.Type, TTL: ttl, Data: data}
	t.records, t.added = append(t.records, added), append(t.added, added)
	return nil
}

func (t *cloudflareBatch) commit() {
	t.c.Zone.Remove(func(r Record) bool { return slices.Contains(t.removed, r.ID) })
	for _, r := range t.changed {
		t.c.Zone.Update(r.ID, func(stands *Record) { stands.TTL = r.TTL })
	}
	for _, r := range t.added {
		t.c.Zone.Add(r.Name, r.Type, r.TTL, r.Data)
	}
}

// invalidCloudflare is an error of one field, in the chain of the general one
// (https://github.com/octodns/octodns-cloudflare/pull/39).
func invalidCloudflare(code int, message string) *cloudflareError {
	return &cloudflareError{
		status: http.StatusBadRequest, Code: 1004, Message: "DNS Validation Error", Chain: []cloudflareError{{Code: code, Message: message}},
	}
}

// checkCloudflareTTL holds a TTL to the limits of a zone that is not an enterprise's
// (https://github.com/timothymiller/cloudflare-ddns/issues/179).
func checkCloudflareTTL(ttl int) *cloudflareError {
	if ttl != 1 && (ttl < 60 || ttl > 86400) {
		return invalidCloudflare(9021, "TTL must be between 60 and 86400 seconds, or 1 for Automatic.")
	}
	return nil
}

// cloudflareRDATA is what a record holds. A TLSA record has its fields in data, and content does not
// count (https://github.com/kubernetes-sigs/external-dns/pull/6616).
func cloudflareRDATA(r cloudflareRecord) (string, *cloudflareError) {
	switch *r.Type {
	case "TLSA":
		d := r.Data
		switch {
		case d == nil || d.Usage == nil:
			return "", invalidCloudflare(9101, "usage is a required data field.")
		case d.Selector == nil:
			return "", invalidCloudflare(9101, "selector is a required data field.")
		case d.MatchingType == nil:
			return "", invalidCloudflare(9101, "matching_type is a required data field.")
		case d.Certificate == nil || *d.Certificate == "":
			return "", invalidCloudflare(9101, "certificate is a required data field.")
		}
		for _, octet := range []int{*d.Usage, *d.Selector, *d.MatchingType} {
			if octet < 0 || octet > 255 {
				return "", invalidCloudflare(9101, "a field is out of range.")
			}
		}
		if _, err := hex.DecodeString(*d.Certificate); err != nil {
			return "", invalidCloudflare(9101, "certificate must be hexadecimal.")
		}
		return fmt.Sprintf("%d %d %d %s", *d.Usage, *d.Selector, *d.MatchingType, strings.ToUpper(*d.Certificate)), nil
	case "TXT":
		if r.Content == nil || *r.Content == "" {
			return "", invalidCloudflare(9101, "content is a required field.")
		}
		return `"` + strings.Trim(*r.Content, `"`) + `"`, nil
	}
	return "", invalidCloudflare(9000, "this server takes TLSA and TXT alone")
}
