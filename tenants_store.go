// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/caddy-videoroom/videoroom/config"
)

const (
	tenantPrefix  = "videoroom/tenants/"
	tenantVersion = 1
	// tenantTime bounds how long a slow storage holds up a start or a call.
	tenantTime = 20 * time.Second
)

// errTenantRecord says that a stored house cannot be read.
var errTenantRecord = errors.New("the stored house is damaged")

// tenantRecord is one house in the storage.
type tenantRecord struct {
	Version int             `json:"version"`
	Sum     string          `json:"sha256"` // of Tenant
	Tenant  json.RawMessage `json:"tenant"`
}

func tenantKey(table, domain string) string { return tenantPrefix + table + "/" + domain + ".json" }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func encodeTenant(t *config.Tenant) ([]byte, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("writing a house: %w", err)
	}
	return json.Marshal(tenantRecord{tenantVersion, sumOf(data), data})
}

func decodeTenant(text []byte) (*config.Tenant, error) {
	var record tenantRecord
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, fmt.Errorf("%w: %w", errTenantRecord, err)
	}
	var plain bytes.Buffer
	if err := json.Compact(&plain, record.Tenant); err != nil || sumOf(plain.Bytes()) != record.Sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", errTenantRecord)
	}
	if record.Version != tenantVersion {
		return nil, fmt.Errorf("%w: version %d is not known here", errTenantRecord, record.Version)
	}
	return readTenant(plain.Bytes())
}

// readTenant reads a house as JSON; unknown fields are refused.
func readTenant(text []byte) (*config.Tenant, error) {
	var t config.Tenant
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil {
		return nil, fmt.Errorf("reading a house: %w", err)
	}
	return &t, nil
}

// loadTenants reads the tables of all handlers. A house that cannot be read is
// left out with a word in the log; a storage that cannot be listed is an error,
// because no house would be served.
func (a *App) loadTenants() error {
	ctx, cancel := context.WithTimeout(a.ctx, tenantTime)
	defer cancel()
	for _, h := range a.registered() {
		if h.TenantTable == "" {
			continue
		}
		known, version := h.houses.table()
		found, err := h.readTable(ctx, a.storage, a.log, known)
		if err != nil {
			return err
		}
		h.houses.replace(found, version)
	}
	return nil
}

// readTable reads a handler's table. What is known stays as it is where the
// storage says the same, and where it gives no answer about a house.
func (h *Handler) readTable(ctx context.Context, storage certmagic.Storage, log *slog.Logger, known map[string]storedHouse) (map[string]storedHouse, error) {
	keys, err := storage.List(ctx, tenantPrefix+h.TenantTable, false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the houses of the table %s: %w", h.TenantTable, err)
	}
	domains := slices.Collect(maps.Keys(known)) // asked for even if they are not listed
	for _, key := range keys {
		if domain, ok := strings.CutSuffix(path.Base(key), ".json"); ok && !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	found := make(map[string]storedHouse)
	for _, domain := range domains {
		house, err := h.readHouse(ctx, storage, domain, known[domain])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found[domain] = house
		if err != nil {
			log.Error("a stored house cannot be read; it stays as it was, or is not served", slog.String("house", domain), slog.Any("error", err))
		}
	}
	return found, nil
}

// readHouse reads one house of the table; before is what is known of it, and what
// is returned with an error.
func (h *Handler) readHouse(ctx context.Context, storage certmagic.Storage, domain string, before storedHouse) (storedHouse, error) {
	text, err := storage.Load(ctx, tenantKey(h.TenantTable, domain))
	if err != nil {
		return before, fmt.Errorf("loading it: %w", err)
	}
	if string(text) == before.text {
		return before, nil
	}
	before.text = string(text) // told once
	t, err := decodeTenant(text)
	if err != nil {
		return before, err
	}
	if t.Domain != domain {
		return before, fmt.Errorf("%w: it names another host", errTenantRecord)
	}
	site, err := h.house(t)
	if err != nil {
		return before, err
	}
	return storedHouse{site, string(text)}, nil
}

// addTenant stores a house and serves it from now on.
func (a *App) addTenant(ctx context.Context, table string, t *config.Tenant) error {
	ctx, cancel := context.WithTimeout(ctx, tenantTime)
	defer cancel()
	var sites []*config.Site
	tables := a.withTable(table)
	for _, h := range tables {
		site, err := h.house(t)
		if err != nil {
			return err
		}
		sites = append(sites, site)
	}
	text, err := encodeTenant(t)
	if err != nil {
		return err
	}
	if err := a.storage.Store(ctx, tenantKey(table, t.Domain), text); err != nil {
		return fmt.Errorf("storing the house: %w", err)
	}
	for i, h := range tables {
		h.houses.put(sites[i], string(text))
	}
	a.tellTenants(ctx, table)
	return nil
}

// removeTenant takes a house out of the storage and serves it no longer.
func (a *App) removeTenant(ctx context.Context, table, domain string) error {
	ctx, cancel := context.WithTimeout(ctx, tenantTime)
	defer cancel()
	if err := a.storage.Delete(ctx, tenantKey(table, domain)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting the house: %w", err)
	}
	for _, h := range a.withTable(table) {
		h.houses.remove(domain)
	}
	a.tellTenants(ctx, table)
	return nil
}

// withTable returns the handlers that have a table.
func (a *App) withTable(table string) []*Handler {
	var found []*Handler
	for _, h := range a.registered() {
		if h.TenantTable == table {
			found = append(found, h)
		}
	}
	return found
}
