// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

const secret = "0123456789abcdef0123456789abcdef"

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// The documented example: whoever computes this gets in.
func TestSignatureAsDocumented(t *testing.T) {
	body := []byte(`{"kind":"beratung"}`)
	digest := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("VR1\nPOST\n/video/api/v1/appointments?host=muster\n1795521600\n" + hex.EncodeToString(digest[:])))
	header := "VR1 key=buchung, ts=1795521600, sig=" + hex.EncodeToString(mac.Sum(nil))
	if got := Sign("buchung", secret, "POST", "/video/api/v1/appointments?host=muster", body, noon); got != header {
		t.Errorf("Sign = %s, want %s", got, header)
	}
	s, err := Parse(header)
	if err != nil || s.Key != "buchung" || !s.Time.Equal(noon) {
		t.Fatalf("Parse: %+v, %v", s, err)
	}
	if err := s.Check(secret, "POST", "/video/api/v1/appointments?host=muster", body, noon); err != nil {
		t.Error(err)
	}
}

func TestTampering(t *testing.T) {
	header := Sign("k", secret, "PATCH", "/v/a?b=c", []byte("body"), noon)
	s, err := Parse(header)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		secret, method, target, body string
		now                          time.Time
		want                         error
	}{
		"as signed":    {secret, "PATCH", "/v/a?b=c", "body", noon, nil},
		"other secret": {secret + "x", "PATCH", "/v/a?b=c", "body", noon, ErrWrong},
		"other method": {secret, "DELETE", "/v/a?b=c", "body", noon, ErrWrong},
		"other path":   {secret, "PATCH", "/v/b?b=c", "body", noon, ErrWrong},
		"other query":  {secret, "PATCH", "/v/a?b=d", "body", noon, ErrWrong},
		"no query":     {secret, "PATCH", "/v/a", "body", noon, ErrWrong},
		"other body":   {secret, "PATCH", "/v/a?b=c", "Body", noon, ErrWrong},
		"no body":      {secret, "PATCH", "/v/a?b=c", "", noon, ErrWrong},
		"late":         {secret, "PATCH", "/v/a?b=c", "body", noon.Add(Tolerance + 1), ErrClock},
		"just in time": {secret, "PATCH", "/v/a?b=c", "body", noon.Add(Tolerance), nil},
		"early":        {secret, "PATCH", "/v/a?b=c", "body", noon.Add(-Tolerance - 1), ErrClock},
	} {
		if err := s.Check(c.secret, c.method, c.target, []byte(c.body), c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	later, err := Parse(strings.Replace(header, "ts=1795521600", "ts=1795521601", 1))
	if err != nil || !errors.Is(later.Check(secret, "PATCH", "/v/a?b=c", []byte("body"), noon), ErrWrong) {
		t.Error("the time can be changed")
	}
}

func TestMalformedHeaders(t *testing.T) {
	good := strings.Repeat("ab", sha256.Size)
	for _, h := range []string{
		"", "VR1", "VR1 ", "Bearer x", "VR2 key=k, ts=1, sig=" + good, "VR1 key=k, ts=1", "VR1 key=k, ts=1, sig=ab",
		"VR1 key=k, ts=x, sig=" + good, "VR1 key=, ts=1, sig=" + good, "VR1 key=k, key=l, ts=1, sig=" + good,
		"VR1 key=k, ts=1, sig=" + good + ", more=1", "VR1 key=k, ts=-1, sig=" + good, "VR1 key=k, ts=9999999999999, sig=" + good,
		"VR1 key=k, ts=1., sig=" + good, "VR1 key=k, ts=1.1234567890, sig=" + good, "VR1 key=k, ts=1.2.3, sig=" + good,
		"VR1 key=k, ts=+1, sig=" + good, "VR1 key=k, ts=.5, sig=" + good, "VR1 key=k, ts=1.-5, sig=" + good,
		"VR1 key=k, ts=1, sig=" + strings.Repeat("zz", sha256.Size), "VR1 key=" + strings.Repeat("k", 600) + ", ts=1, sig=" + good,
	} {
		if _, err := Parse(h); !errors.Is(err, ErrNoSignature) {
			t.Errorf("%.60q: %v, want ErrNoSignature", h, err)
		}
	}
	if _, err := Parse("vr1 sig=" + good + ",ts=1,key=k"); err != nil {
		t.Errorf("another order: %v", err)
	}
}

// Two like requests within a second have two signatures, where the time has decimals.
func TestDecimals(t *testing.T) {
	o := NewOnce(noon)
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Microsecond)
		s, err := Parse(Sign("k", secret, "GET", "/", nil, at))
		if err != nil || !s.Time.Equal(at) || s.Check(secret, "GET", "/", nil, noon) != nil || o.Pass(s, noon) != nil {
			t.Errorf("%d: %+v, %v", i, s, err)
		}
	}
}

func TestOnce(t *testing.T) {
	o := NewOnce(noon)
	at := func(d time.Duration) Signature {
		s, err := Parse(Sign("k", secret, "GET", "/", nil, noon.Add(d)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// Whenever within its life it comes again, in whatever generation.
	for step := time.Duration(0); step < time.Hour; step += 97 * time.Second {
		signed := at(step + Tolerance) // a clock that is ahead: the longest life
		if err := o.Pass(signed, noon.Add(step)); err != nil {
			t.Fatal(err)
		}
		if err := o.Pass(signed, noon.Add(step+2*Tolerance)); !errors.Is(err, ErrReplay) {
			t.Fatalf("after %v: %v, want ErrReplay", step, err)
		}
	}
	o = NewOnce(noon)
	if err := o.Pass(at(-time.Second), noon); !errors.Is(err, ErrClock) {
		t.Errorf("from before the start: %v, want ErrClock", err)
	}
	for i := range maxSeen {
		s := at(0)
		s.mac[0], s.mac[1], s.mac[2] = byte(i), byte(i>>8), byte(i>>16)
		if err := o.Pass(s, noon); err != nil {
			t.Fatal(err)
		}
	}
	s := at(0)
	s.mac[3] ^= 1
	s.mac[2] = 0xff
	if err := o.Pass(s, noon); !errors.Is(err, ErrCrowded) {
		t.Errorf("beyond the bound: %v, want ErrCrowded", err)
	}
	if err := o.Pass(s, noon.Add(4*Tolerance)); err != nil {
		t.Errorf("the memory does not empty: %v", err)
	}
}

const calNotice = `{"triggerEvent":"BOOKING_RESCHEDULED","createdAt":"2026-11-20T08:00:00.000Z","payload":{
"type":"50min","title":"A und B","startTime":"2026-11-24T13:00:00Z","endTime":"2026-11-24T13:50:00Z",
"organizer":{"id":5,"name":"Dr. Muster","email":"praxis@example.de","timeZone":"Europe/Berlin","language":{"locale":"de"}},
"attendees":[{"email":"gast@example.net","name":" Gast ","timeZone":"Europe/Berlin","language":{"locale":"de-DE"}},
{"email":"praxis@example.de","name":"Dr. Muster","language":{"locale":"fr"}}],
"uid":"bFJeNb2uX8ANpT3JL5EfXw","rescheduleUid":"aaaa","status":"ACCEPTED","additionalNotes":"geheim"}}`

func TestNotices(t *testing.T) {
	n, err := ParseNotice([]byte(calNotice))
	if err != nil {
		t.Fatal(err)
	}
	if n.Trigger != Rescheduled || n.UID != "bFJeNb2uX8ANpT3JL5EfXw" || n.Before != "aaaa" || n.Zone != "Europe/Berlin" ||
		n.End.Sub(n.Start) != 50*time.Minute || len(n.Guests) != 1 || n.Guests[0] != (Guest{"Gast", "gast@example.net", "de"}) {
		t.Errorf("%+v", n)
	}
	if n, err := ParseNotice([]byte(`{"triggerEvent":"PING","payload":"x"}`)); err != nil || n.Trigger != "PING" {
		t.Errorf("another trigger: %+v, %v", n, err)
	}
	if n, err := ParseNotice([]byte(`{"triggerEvent":"BOOKING_CANCELLED","payload":{"uid":"x"}}`)); err != nil || n.UID != "x" {
		t.Errorf("a cancellation with nothing else: %+v, %v", n, err)
	}
	for _, bad := range []string{
		"", "{}", "[]", "null", `{"triggerEvent":"BOOKING_CREATED"}`, `{"triggerEvent":"BOOKING_CREATED","payload":{"uid":"x"}}`,
		strings.Replace(calNotice, "gast@example.net", "gast", 1), strings.Replace(calNotice, "13:50", "12:50", 1),
		strings.Replace(calNotice, "bFJeNb2uX8ANpT3JL5EfXw", strings.Repeat("x", 300), 1),
		strings.Replace(calNotice, "gast@example.net", "praxis@example.de", 1),
		strings.Replace(calNotice, `"2026-11-24T13:00:00Z"`, "5", 1),
	} {
		if _, err := ParseNotice([]byte(bad)); !errors.Is(err, ErrNotice) {
			t.Errorf("%.80q: %v, want ErrNotice", bad, err)
		}
	}
}

func TestNoticeSignature(t *testing.T) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(calNotice))
	header := hex.EncodeToString(mac.Sum(nil))
	if !CheckNotice(secret, header, []byte(calNotice)) {
		t.Error("a good signature is refused")
	}
	for name, ok := range map[string]bool{
		"empty": CheckNotice(secret, "", []byte(calNotice)), "short": CheckNotice(secret, header[:10], []byte(calNotice)),
		"body": CheckNotice(secret, header, []byte(calNotice+" ")), "secret": CheckNotice(secret+"x", header, []byte(calNotice)),
		"no hex": CheckNotice(secret, "no-secret-provided", []byte(calNotice)),
	} {
		if ok {
			t.Errorf("%s: a bad signature is taken", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Sign("k", secret, "GET", "/", nil, noon), calNotice)
	f.Fuzz(func(t *testing.T, header, notice string) {
		if s, err := Parse(header); err == nil && (s.Key == "" || s.Time.Unix() < 0) {
			t.Errorf("%q parsed to %+v", header, s)
		}
		if n, err := ParseNotice([]byte(notice)); err == nil && n.Trigger == Created && (len(n.Guests) == 0 || !n.End.After(n.Start)) {
			t.Errorf("a notice without substance: %+v", n)
		}
	})
}
