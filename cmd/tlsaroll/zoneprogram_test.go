package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
)

// zoneProgram is what somebody would write for a provider of type exec: it keeps a zone in a
// file of JSON, which zoneEnv names.
const (
	zoneProgram = "tlsaroll-zone"
	zoneEnv     = "ZONE_FILE"
)

type zoneRecord struct {
	Name string `json:"name"`
	Type string `json:"type"`
	TTL  int    `json:"ttl"`
	Data string `json:"data"`
}

type zoneChange struct {
	Owner, Type         string
	TTL                 int
	Before, Add, Remove []string
}

func zoneMain() {
	if err := editZone(os.Args[1], os.Stdin, os.Stdout); err != nil {
		panic(err)
	}
}

func editZone(what string, in io.Reader, out io.Writer) error {
	var records []zoneRecord
	var request struct{ Changes []zoneChange }
	text, err := os.ReadFile(os.Getenv(zoneEnv))
	if err := errors.Join(err, json.Unmarshal(text, &records), json.NewDecoder(in).Decode(&request)); err != nil {
		return err
	}
	if what == "read" {
		return json.NewEncoder(out).Encode(map[string]any{"version": 1, "whole": true, "records": append([]zoneRecord{}, records...)})
	}
	results := []map[string]string{}
	for _, c := range request.Changes {
		var stands []string
		for _, r := range records {
			if r.Name == c.Owner && r.Type == c.Type {
				stands = append(stands, r.Data)
			}
		}
		status := "conflict"
		if slices.Equal(stands, c.Before) {
			status = "done"
			records = slices.DeleteFunc(records, func(r zoneRecord) bool {
				return r.Name == c.Owner && r.Type == c.Type && slices.Contains(c.Remove, r.Data)
			})
			for _, data := range c.Add {
				records = append(records, zoneRecord{c.Owner, c.Type, c.TTL, data})
			}
		}
		results = append(results, map[string]string{"owner": c.Owner, "status": status})
	}
	text, err = json.Marshal(append([]zoneRecord{}, records...))
	return errors.Join(err, os.WriteFile(os.Getenv(zoneEnv), text, 0o600),
		json.NewEncoder(out).Encode(map[string]any{"version": 1, "results": results}))
}
