package fakeapi

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Route53Host is where the API is, for all regions
// (https://docs.aws.amazon.com/general/latest/gr/r53.html).
const Route53Host = "route53.amazonaws.com"

// Route53Page is how many record sets the API gives at once at most
// (https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html).
const Route53Page = 300

// Route53Zone is what the hosted zone is called.
const Route53Zone = "Z0123456789ABCDEFGHIJ"

// NewRoute53 makes the API of Amazon Route 53
// (https://docs.aws.amazon.com/Route53/latest/APIReference/) with one hosted zone and one
// access key. Of a signature it looks at nothing but the key's id. The changes of one
// request are made all or none; a record set that is deleted has to be given as it is.
func NewRoute53(zone *Zone, accessKeyID string) *Server {
	return NewServer(zone, &route53{zone: zone, key: accessKeyID})
}

type route53 struct {
	zone *Zone
	key  string
	mu   sync.Mutex // a request with several changes is one step
}

type route53Set struct {
	Name    string          `xml:"Name"`
	Type    string          `xml:"Type"`
	TTL     int             `xml:"TTL"`
	Records []route53Record `xml:"ResourceRecords>ResourceRecord"`
}

type route53Record struct {
	Value string `xml:"Value"`
}

func (s route53Set) values() (values []string) {
	for _, r := range s.Records {
		values = append(values, r.Value)
	}
	return values
}

// Kind: the search for the zone is no listing of it.
func (a *route53) Kind(r *http.Request) RequestKind {
	switch {
	case r.Method == http.MethodPost:
		return Change
	case strings.Contains(r.URL.Path, "/rrset"):
		return Listing
	}
	return Other
}

func (a *route53) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "Credential="+a.key+"/") {
		a.Problem(w, http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	path, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/2013-04-01/")
	switch {
	case ok && path == "hostedzonesbyname" && r.Method == http.MethodGet:
		a.zones(w, r)
	case ok && path == "hostedzone/"+Route53Zone+"/rrset" && r.Method == http.MethodGet:
		a.list(w, r)
	case ok && path == "hostedzone/"+Route53Zone+"/rrset" && r.Method == http.MethodPost:
		a.change(w, r)
	default:
		a.Problem(w, http.StatusNotFound)
	}
}

// zones gives the zones from a name on, in an order of labels from the right: the one asked
// for need not be among them.
func (a *route53) zones(w http.ResponseWriter, r *http.Request) {
	type hosted struct {
		ID      string `xml:"Id"`
		Name    string `xml:"Name"`
		Ref     string `xml:"CallerReference"`
		Private bool   `xml:"Config>PrivateZone"`
		Count   int    `xml:"ResourceRecordSetCount"`
	}
	sendXML(w, http.StatusOK, struct {
		XMLName   xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ListHostedZonesByNameResponse"`
		Zones     []hosted `xml:"HostedZones>HostedZone"`
		DNSName   string   `xml:"DNSName"`
		Truncated bool     `xml:"IsTruncated"`
		MaxItems  string   `xml:"MaxItems"`
	}{
		Zones:   []hosted{{ID: "/hostedzone/" + Route53Zone, Name: a.zone.Name, Ref: "a reference", Count: len(a.sets())}},
		DNSName: r.URL.Query().Get("dnsname"), MaxItems: "1",
	})
}

// sets are the record sets, sorted. An asterisk is written as an escape
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html).
func (a *route53) sets() (all []route53Set) {
	for _, r := range a.zone.Records("", "") {
		name := strings.ReplaceAll(r.Name, "*", `\052`)
		i := slices.IndexFunc(all, func(s route53Set) bool { return s.Name == name && s.Type == r.Type })
		if i < 0 {
			i = len(all)
			all = append(all, route53Set{Name: name, Type: r.Type, TTL: r.TTL})
		}
		all[i].Records = append(all[i].Records, route53Record{r.Data})
	}
	slices.SortStableFunc(all, func(x, y route53Set) int { return strings.Compare(x.Name+" "+x.Type, y.Name+" "+y.Type) })
	return all
}

func (a *route53) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size := Route53Page
	if n, err := strconv.Atoi(q.Get("maxitems")); err == nil && n > 0 {
		size = min(n, size)
	}
	all := a.sets()
	from := 0
	if name := strings.ReplaceAll(q.Get("name"), "*", `\052`); name != "" {
		from = slices.IndexFunc(all, func(s route53Set) bool { return s.Name+" "+s.Type >= name+" "+q.Get("type") })
		if from < 0 {
			from = len(all)
		}
	}
	page := all[from:min(from+size, len(all))]
	reply := struct {
		XMLName   xml.Name     `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ListResourceRecordSetsResponse"`
		Sets      []route53Set `xml:"ResourceRecordSets>ResourceRecordSet"`
		Truncated bool         `xml:"IsTruncated"`
		MaxItems  string       `xml:"MaxItems"`
		NextName  string       `xml:"NextRecordName,omitempty"`
		NextType  string       `xml:"NextRecordType,omitempty"`
	}{Sets: page, MaxItems: strconv.Itoa(size)}
	if rest := all[from+len(page):]; len(rest) > 0 {
		reply.Truncated, reply.NextName, reply.NextType = true, rest[0].Name, rest[0].Type
	}
	sendXML(w, http.StatusOK, reply)
}

// change makes all changes or none
// (https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html).
func (a *route53) change(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Changes []struct {
			Action string     `xml:"Action"`
			Set    route53Set `xml:"ResourceRecordSet"`
		} `xml:"ChangeBatch>Changes>Change"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&request); err != nil {
		a.invalid(w, "the XML is malformed")
		return
	}
	for _, c := range request.Changes {
		stands := a.zone.Records(c.Set.Name, c.Set.Type)
		once := slices.Compact(slices.Sorted(slices.Values(c.Set.values())))
		beside := a.zone.Records(c.Set.Name, "")
		switch {
		case !strings.HasSuffix("."+fqdn(c.Set.Name), "."+a.zone.Name):
			a.invalid(w, fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", c.Set.Name, a.zone.Name))
			return
		case len(once) != len(c.Set.Records):
			a.invalid(w, fmt.Sprintf("Duplicate Resource Record: %q", c.Set.values()))
			return
		case c.Action == "DELETE" && !c.Set.same(stands):
			a.invalid(w, fmt.Sprintf("Tried to delete resource record set [name='%s', type='%s'] but the values provided do not match the current values", c.Set.Name, c.Set.Type))
			return
		case c.Action == "CREATE" && len(stands) > 0:
			a.invalid(w, fmt.Sprintf("Tried to create resource record set [name='%s', type='%s'] but it already exists", c.Set.Name, c.Set.Type))
			return
		case c.Action != "DELETE" && slices.ContainsFunc(beside, func(r Record) bool { return (r.Type == "CNAME") != (c.Set.Type == "CNAME") }):
			a.invalid(w, fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted as it conflicts with other records with the same DNS name", c.Set.Type, c.Set.Name))
			return
		}
	}
	for _, c := range request.Changes {
		if c.Action == "DELETE" {
			c.Set.Records = nil
		}
		a.zone.Replace(c.Set.Name, c.Set.Type, c.Set.TTL, c.Set.values()...)
	}
	sendXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ChangeResourceRecordSetsResponse"`
		ID      string   `xml:"ChangeInfo>Id"`
		Status  string   `xml:"ChangeInfo>Status"`
		At      string   `xml:"ChangeInfo>SubmittedAt"`
	}{ID: "/change/C0123456789", Status: "PENDING", At: "2027-01-14T06:27:10Z"})
}

func (s route53Set) same(stands []Record) bool {
	var values []string
	for _, r := range stands {
		if r.TTL != s.TTL {
			return false
		}
		values = append(values, r.Data)
	}
	return len(values) > 0 && slices.Equal(slices.Sorted(slices.Values(values)), slices.Sorted(slices.Values(s.values())))
}

// invalid is an error of the changes themselves, which has a form of its own.
func (a *route53) invalid(w http.ResponseWriter, message string) {
	sendXML(w, http.StatusBadRequest, struct {
		XMLName  xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ InvalidChangeBatch"`
		Messages []string `xml:"Messages>Message"`
		Request  string   `xml:"RequestId"`
	}{Messages: []string{"[" + message + "]"}, Request: "00000000-1111-2222-3333-444444444444"})
}

// Problem has the codes of
// https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html, with the statuses
// that they come with: Route 53 has a few only.
func (a *route53) Problem(w http.ResponseWriter, status int) {
	type problem struct {
		status        int
		code, message string
	}
	p, ok := map[int]problem{
		http.StatusUnauthorized:        {http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."},
		http.StatusForbidden:           {http.StatusForbidden, "AccessDenied", "User: arn:aws:iam::123456789012:user/dns is not authorized to perform: route53:ChangeResourceRecordSets"},
		http.StatusNotFound:            {http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: " + Route53Zone},
		http.StatusConflict:            {http.StatusBadRequest, "PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request."},
		http.StatusUnprocessableEntity: {http.StatusBadRequest, "InvalidInput", "Invalid request"},
		http.StatusTooManyRequests:     {http.StatusBadRequest, "Throttling", "Rate exceeded"},
		http.StatusInternalServerError: {http.StatusInternalServerError, "InternalFailure", "We encountered an internal error. Please try again."},
	}[status]
	if !ok {
		p = problem{status, "ServiceUnavailable", "Service is unable to handle request."}
	}
	sendXML(w, p.status, struct {
		XMLName xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
		Request string   `xml:"RequestId"`
	}{Type: "Sender", Code: p.code, Message: p.message, Request: "00000000-1111-2222-3333-444444444444"})
}

// sendXML answers with XML.
func sendXML(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprint(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v)
}
