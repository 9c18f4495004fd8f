// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a feed. The calendar of a busy practice over ten years stays below.
const (
	maxFeedBytes = 8 << 20
	maxLineBytes = 32 << 10 // longer ones, pictures mostly, are passed over
	maxEvents    = 20000
	maxDepth     = 8
)

// ErrFeed says that what was read is no whole calendar, or is beyond the limits.
var ErrFeed = errors.New("ics: not a usable calendar")

// property is one content line.
type property struct {
	name   string
	params map[string]string // first value of each; names in upper case
	value  string
}

// component is what stands between BEGIN and END.
type component struct {
	name  string
	props []property
	subs  []*component
}

// get returns the first property of that name.
func (c *component) get(name string) (property, bool) {
	for _, p := range c.props {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

func (c *component) value(name string) string {
	p, _ := c.get(name)
	return p.value
}

// kept are the properties that are looked at; no other takes memory.
var kept = map[string]bool{
	"UID": true, "SEQUENCE": true, "DTSTART": true, "DTEND": true, "DURATION": true, "RRULE": true, "RDATE": true,
	"EXDATE": true, "RECURRENCE-ID": true, "STATUS": true, "SUMMARY": true, "ORGANIZER": true, "ATTENDEE": true,
	"TZID": true, "X-LIC-LOCATION": true, "X-WR-TIMEZONE": true, "TZOFFSETTO": true, "EXRULE": true,
}

// parse reads a calendar into its components.
func parse(r io.Reader) (*component, error) {
	lines := &lineReader{r: bufio.NewReader(io.LimitReader(r, maxFeedBytes+1))}
	top := &component{}
	stack := []*component{top}
	events := 0
	for {
		text, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		p, ok := split(text)
		if !ok {
			continue
		}
		in := stack[len(stack)-1]
		switch p.name {
		case "BEGIN":
			c := &component{name: strings.ToUpper(p.value)}
			if c.name == "VEVENT" {
				events++
			}
			if len(stack) > maxDepth || events > maxEvents {
				return nil, fmt.Errorf("%w: too much in it", ErrFeed)
			}
			in.subs = append(in.subs, c)
			stack = append(stack, c)
		case "END":
			if len(stack) == 1 || !strings.EqualFold(p.value, in.name) {
				return nil, fmt.Errorf("%w: badly nested", ErrFeed)
			}
			stack = stack[:len(stack)-1]
		default:
			if kept[p.name] && len(in.props) < 2000 {
				in.props = append(in.props, p)
			}
		}
	}
	switch {
	case lines.read > maxFeedBytes:
		return nil, fmt.Errorf("%w: too large", ErrFeed)
	case len(stack) != 1 || len(top.subs) == 0 || top.subs[0].name != "VCALENDAR":
		// What ends early must not look like a calendar with fewer events.
		return nil, fmt.Errorf("%w: incomplete", ErrFeed)
	}
	return top, nil
}

// lineReader unfolds content lines.
type lineReader struct {
	r     *bufio.Reader
	read  int
	ahead string
	more  bool // ahead holds the next line's first part
	buf   strings.Builder
}

// next returns one unfolded line; an overlong one comes back empty.
func (l *lineReader) next() (string, error) {
	if !l.more {
		part, err := l.physical()
		if err != nil {
			return "", err
		}
		l.ahead = part
	}
	l.more = false
	l.buf.Reset()
	l.buf.WriteString(l.ahead)
	for {
		part, err := l.physical()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		if part == "" || part[0] != ' ' && part[0] != '\t' {
			l.ahead, l.more = part, true
			break
		}
		if l.buf.Len() <= maxLineBytes {
			l.buf.WriteString(part[1:])
		}
	}
	if l.buf.Len() > maxLineBytes {
		return "", nil
	}
	return strings.ToValidUTF8(l.buf.String(), "\uFFFD"), nil
}

// physical is one line without its end; of an overlong one only the beginning,
// yet more than a line may have.
func (l *lineReader) physical() (string, error) {
	var b strings.Builder
	for {
		part, err := l.r.ReadSlice('\n')
		l.read += len(part)
		if b.Len() <= maxLineBytes {
			b.Write(part)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && b.Len() > 0:
			return strings.TrimRight(b.String(), "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return "", err
		}
	}
}

// split takes a content line apart; false: it is none.
func split(line string) (property, bool) {
	p := property{}
	i := strings.IndexAny(line, ":;")
	if i <= 0 {
		return p, false
	}
	p.name = strings.ToUpper(strings.TrimPrefix(line[:i], "\uFEFF"))
	for line[i] == ';' {
		rest := line[i+1:]
		eq := strings.IndexAny(rest, "=:;")
		if eq < 0 || rest[eq] != '=' {
			return p, false
		}
		name := strings.ToUpper(rest[:eq])
		value, n := paramValue(rest[eq+1:])
		if p.params == nil {
			p.params = make(map[string]string)
		}
		if _, twice := p.params[name]; !twice {
			p.params[name] = value
		}
		i += 1 + eq + 1 + n
		if i >= len(line) {
			return p, false
		}
	}
	p.value = line[i+1:]
	return p, true
}

// paramValue reads the values of a parameter up to the ; or : behind them and
// returns the first one and the length of all.
func paramValue(s string) (first string, n int) {
	quoted, end := false, -1
	for n < len(s) {
		switch c := s[n]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',' && end < 0:
			end = n
		case c == ';' || c == ':':
			if end < 0 {
				end = n
			}
			return carets.Replace(strings.Trim(s[:end], `"`)), n
		}
		n++
	}
	return "", n
}

var (
	carets    = strings.NewReplacer("^n", "\n", "^^", "^", "^'", `"`)
	unescapes = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n", `\N`, "\n")
)
