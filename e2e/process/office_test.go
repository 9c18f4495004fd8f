// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// practice is a Caddyfile block of a site with a host, appointments and mail.
func practice(address, mailServer, options string) string {
	return fmt.Sprintf(`%s {
	tls internal
	videoroom {
		practice "Praxis"
		phone "+49 69 000000"
		host muster
		e2ee off
		max_participants 50
		reminder 30m
		opens_before 1h
		smtp %s {
			from "Praxis <praxis@example.de>"
		}
		%s
	}
}
`, address, mailServer, options)
}

// office is a host at work on a site.
type office struct {
	s          *server
	base       string
	key, token string
}

type (
	plannedGuest struct {
		ID, Name, Email, Link string
		Mail                  []struct{ What, State, Reason string }
	}
	planned struct {
		ID, Room, Label, Start string
		Guests                 []plannedGuest
	}
)

// office signs in at a site with the private link that Caddy prints.
func (s *server) office(host string) *office {
	s.t.Helper()
	o := &office{s: s, base: s.base(host)}
	cmd := exec.Command(caddyBinary, "videoroom", "host-link", "--address", fmt.Sprintf("localhost:%d", s.admin), "--site", host)
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "XDG_DATA_HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir)
	link, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("host-link: %v", err)
	}
	_, key, found := strings.Cut(strings.TrimSpace(string(link)), "#k=")
	if !found {
		s.t.Fatalf("host-link printed %q", link)
	}
	o.key = key
	if err := o.signIn(); err != nil {
		s.t.Fatal(err)
	}
	return o
}

// signIn proves to the process that runs now who the host is.
func (o *office) signIn() error {
	var session struct{ Token string }
	err := o.call(http.MethodPost, "api/v1/host/session", map[string]string{"key": o.key}, &session)
	o.token = session.Token
	return err
}

// errUnavailable says that the process asks to come back.
var errUnavailable = errors.New("not available now")

// call sends a request of the host and reads the answer.
func (o *office) call(method, path string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, o.base+"/"+path, strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	req.Close = true // the process may be another one at the next request
	req.Header.Set("Origin", strings.TrimSuffix(o.base, "/video"))
	req.Header.Set("Authorization", "Bearer "+o.token)
	resp, err := o.s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests:
		return errUnavailable
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("HTTP status %d: %.300s", resp.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

// invite makes an appointment, which begins soon.
func (o *office) invite(label string, start time.Time, emails ...string) (planned, error) {
	guests := make([]map[string]string, 0, len(emails))
	for _, e := range emails {
		guests = append(guests, map[string]string{"email": e})
	}
	var made struct{ Appointments []planned }
	err := o.call(http.MethodPost, "api/v1/appointments", map[string]any{
		"kind": "sitzung", "start": start.Format(time.RFC3339), "label": label, "guests": guests,
	}, &made)
	if err != nil {
		return planned{}, err
	}
	return made.Appointments[0], nil
}

// appointments returns what the host has, which a process that has just begun
// may have to read first.
func (o *office) appointments() []planned {
	o.s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		var all struct{ Appointments []planned }
		err := o.call(http.MethodGet, "api/v1/appointments", nil, &all)
		if err == nil {
			return all.Appointments
		}
		if !errors.Is(err, errUnavailable) || time.Now().After(deadline) {
			o.s.t.Fatalf("reading the appointments: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// textOf reads an answer to its end.
func textOf(resp *http.Response) string {
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// frame is what is said on a socket of the door.
type frame map[string]any

func (f frame) text(name string) string { s, _ := f[name].(string); return s }

// room is what a state says of a room.
func (f frame) room(id string) frame {
	rooms, _ := f["rooms"].([]any)
	for _, r := range rooms {
		if r, ok := r.(map[string]any); ok && r["id"] == id {
			return r
		}
	}
	return nil
}

// doorSocket is a host's or a visitor's connection.
type doorSocket struct {
	s    *server
	conn *websocket.Conn
}

// dial opens a socket below the site's interface and says the first word.
func (o *office) dial(path string, first frame) *doorSocket {
	o.s.t.Helper()
	ctx, cancel := context.WithTimeout(o.s.t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(o.base, "https")+"/"+path, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: o.s.client.Transport}, HTTPHeader: http.Header{"Origin": {strings.TrimSuffix(o.base, "/video")}},
	})
	if err != nil {
		o.s.t.Fatal(err)
	}
	o.s.t.Cleanup(func() { _ = conn.CloseNow() })
	d := &doorSocket{o.s, conn}
	d.say(first)
	return d
}

// dashboard opens the host's page; grants are those of rooms that it knows.
func (o *office) dashboard(grants ...string) *doorSocket {
	o.s.t.Helper()
	return o.dial("api/v1/host", frame{"type": "hello", "token": o.token, "rooms": append([]string{}, grants...)})
}

// knock comes to a room by a visitor's link.
func (o *office) knock(room, secret string) *doorSocket {
	o.s.t.Helper()
	return o.dial("api/v1/knock", frame{"type": "knock", "room": room, "cap": secret, "name": "Anna"})
}

func (d *doorSocket) say(f frame) {
	d.s.t.Helper()
	text, err := json.Marshal(f)
	if err == nil {
		err = d.conn.Write(d.s.t.Context(), websocket.MessageText, text)
	}
	if err != nil {
		d.s.t.Fatal(err)
	}
}

// until reads frames until one fits.
func (d *doorSocket) until(what string, fits func(frame) bool) frame {
	d.s.t.Helper()
	ctx, cancel := context.WithTimeout(d.s.t.Context(), 15*time.Second)
	defer cancel()
	for {
		_, text, err := d.conn.Read(ctx)
		if err != nil {
			d.s.t.Fatalf("waiting for %s: %v", what, err)
		}
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			d.s.t.Fatal(err)
		}
		if fits(f) {
			return f
		}
	}
}

// do runs a host's command.
func (d *doorSocket) do(command string, args frame) (result frame) {
	d.s.t.Helper()
	f := frame{"type": "cmd", "id": 1, "do": command}
	maps.Copy(f, args)
	d.say(f)
	result = d.until("the result of "+command, func(f frame) bool { return f.text("type") == "result" })
	if result["ok"] != true {
		d.s.t.Fatalf("%s: %v", command, result)
	}
	return result
}

// state waits for a state in which a room is as wanted.
func (d *doorSocket) state(room string, fits func(frame) bool) frame {
	d.s.t.Helper()
	return d.until("a state", func(f frame) bool { return f.room(room) != nil && fits(f.room(room)) }).room(room)
}

// answer is the type of the first frame that a visitor gets.
func (d *doorSocket) answer() string {
	d.s.t.Helper()
	return d.until("an answer", func(frame) bool { return true }).text("type")
}

// secretOf returns room and secret of a visitor's link.
func secretOf(link string) (room, secret string) {
	_, rest, _ := strings.Cut(link, "r/")
	room, secret, _ = strings.Cut(rest, "#s=")
	return room, secret
}
