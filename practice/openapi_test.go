// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// spec is the part of OpenAPI that the document uses.
type spec struct {
	Version    string                                `json:"openapi"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	Responses map[string]struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
	RequestBody struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type schema struct {
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	Enum       []string           `json:"enum"`
	// Additional is false, a schema, or absent.
	Additional json.RawMessage `json:"additionalProperties"`
	Format     string          `json:"format"`
}

func readSpec(t *testing.T) *spec {
	t.Helper()
	s := new(spec)
	if err := json.Unmarshal(openAPI, s); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.Version, "3.1.") {
		t.Fatalf("OpenAPI %s", s.Version)
	}
	return s
}

func (s *spec) operation(t *testing.T, method, path string) operation {
	t.Helper()
	var o operation
	raw, ok := s.Paths[path][strings.ToLower(method)]
	if !ok {
		t.Fatalf("%s %s is not in the document", method, path)
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// check returns where a value is not as the schema says.
func (s *spec) check(at string, c *schema, v any) []string {
	if name, ok := strings.CutPrefix(c.Ref, "#/components/schemas/"); ok {
		if s.Components.Schemas[name] == nil {
			return []string{at + ": no schema " + name}
		}
		return s.check(at, s.Components.Schemas[name], v)
	}
	var wrong []string
	complain := func(format string, a ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, a...)) }
	if len(c.Enum) > 0 {
		if text, _ := v.(string); !slices.Contains(c.Enum, text) {
			complain("%v is none of %v", v, c.Enum)
		}
	}
	switch c.Type {
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			complain("%T is no object", v)
			return wrong
		}
		for _, name := range c.Required {
			if _, there := m[name]; !there {
				complain("%s is missing", name)
			}
		}
		for name, value := range m {
			switch p := c.Properties[name]; {
			case p != nil:
				wrong = append(wrong, s.check(at+"."+name, p, value)...)
			case string(c.Additional) == "false":
				complain("%s is not in the document", name)
			}
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			complain("%T is no array", v)
		}
		for i, value := range list {
			wrong = append(wrong, s.check(fmt.Sprintf("%s[%d]", at, i), c.Items, value)...)
		}
	case "string":
		text, ok := v.(string)
		if !ok {
			complain("%T is no string", v)
		}
		if _, err := time.Parse(time.RFC3339, text); c.Format == "date-time" && err != nil {
			complain("%q is no time", text)
		}
	case "integer":
		if n, ok := v.(float64); !ok || n != float64(int(n)) {
			complain("%v is no integer", v)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			complain("%T is no boolean", v)
		}
	case "":
	default:
		complain("the test knows no type %s", c.Type)
	}
	return wrong
}

// The document names every route, no more, and what they answer is what it says.
func TestOpenAPISaysWhatRoutesAnswer(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		s := readSpec(t)
		documented := make(map[string]bool)
		for path, item := range s.Paths {
			for method := range item {
				if method != "parameters" {
					documented[strings.ToUpper(method)+" "+path] = true
				}
			}
		}
		served := map[string]bool{"POST /hooks/cal": true, "GET /openapi.json": true}
		for shape, methods := range appointmentRoutes {
			path := map[string]string{"": "/appointments", "id": "/appointments/{id}"}[shape]
			if path == "" {
				path = "/appointments/{id}/guests/{guest}/" + shape
			}
			for m := range methods {
				served[m+" "+path] = true
			}
		}
		for r := range served {
			if !documented[r] {
				t.Errorf("%s is not in the document", r)
			}
		}
		for r := range documented {
			if !served[r] {
				t.Errorf("%s is in the document and not served", r)
			}
		}

		seen := make(map[string]bool)
		verify := func(method, path, at, body string, status int, edit ...func(*call)) message {
			t.Helper()
			o.wait(2 * time.Second)
			c := o.sign(method, at, body)
			for _, f := range edit {
				f(&c)
			}
			w := o.send(c)
			if w.Code != status {
				t.Fatalf("%s %s: %d %s, want %d", method, at, w.Code, w.Body, status)
			}
			answer, ok := s.operation(t, method, path).Responses[fmt.Sprint(status)]
			if !ok {
				t.Fatalf("%s %s: the document has no status %d", method, path, status)
			}
			var v any
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			for _, wrong := range s.check(method+" "+path, answer.Content["application/json"].Schema, v) {
				t.Errorf("%d %s", status, wrong)
			}
			seen[method+" "+path] = true
			m, _ := v.(map[string]any)
			return m
		}
		const path = "api/v1/appointments"
		in := meet("2026-03-10T18:00")
		in["repeat"] = message{"every": "week", "count": 2}
		in["guests"].([]message)[0]["language"], in["guests"].([]message)[0]["address"] = "de", "du"
		list := verify("POST", "/appointments", path+"?host=muster", text(t, in), 201).list("appointments")
		o.wait(time.Minute) // for the mail
		id, guest := list[0].text("id"), list[0].list("guests")[0].text("id")
		one, person := "/appointments/{id}", "/appointments/{id}/guests/{guest}/"
		verify("GET", "/appointments", path, "", 200)
		verify("GET", "/appointments", path+"?from=never", "", 422)
		verify("POST", "/appointments", path+"?host=muster", "{", 400)
		verify("POST", "/appointments", path+"?host=muster", "{}", 422)
		verify("POST", "/appointments", path+"?host=muster", strings.Repeat(" ", maxBody+1), 413)
		verify("PATCH", one, path+"/"+id, `{"start":"2026-03-10T19:00","label":"x"}`, 200)
		verify("PATCH", one, path+"/"+id, `{"duration_minutes":1}`, 422)
		verify("PATCH", one, path+"/nothing", `{}`, 404)
		for _, verb := range []string{"link", "remind", "revoke"} {
			verify("POST", person+verb, path+"/"+id+"/guests/"+guest+"/"+verb, "", 200)
			verify("POST", person+verb, path+"/"+id+"/guests/x/"+verb, "", 404)
		}
		verify("POST", person+"remind", path+"/"+id+"/guests/"+guest+"/remind", "", 409)
		verify("DELETE", one, path+"/"+id+"?series=some", "", 422)
		verify("DELETE", one, path+"/"+id+"?series=all", "", 200)
		verify("PATCH", one, path+"/"+id, `{"label":"y"}`, 409)
		verify("GET", "/appointments", path, "", 401, func(c *call) { c.header.Del("Authorization") })
		verify("GET", "/appointments", path, "", 403, func(c *call) { c.header.Set("Origin", "https://evil.example") })
		for m := range appointmentRoutes["id"] {
			if m != http.MethodPatch {
				verify(m, one, path+"/"+id, "", 200)
			}
		}
		seen["POST /hooks/cal"] = true // see the tests of notices
		w := httptest.NewRecorder()
		o.desk.Serve(w, httptest.NewRequest("GET", "https://"+siteA+"/video/api/v1/openapi.json", nil), o.callAs(siteA, "api/v1/openapi.json"))
		if w.Code != 200 || w.Body.String() != string(openAPI) || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Errorf("the document itself: %d", w.Code)
		}
		seen["GET /openapi.json"] = true
		for r := range documented {
			if !seen[r] {
				t.Errorf("%s was not tried", r)
			}
		}
		code, m := o.post(hook, `{"triggerEvent":"PING"}`, bookingSecretA)
		ok := s.operation(t, "POST", "/hooks/cal").Responses["200"].Content["application/json"].Schema
		if wrong := s.check("hook", ok, map[string]any(m)); code != 200 || len(wrong) > 0 {
			t.Errorf("%d %v", code, wrong)
		}
	})
}

// What a request may hold is in the document as well, field by field.
func TestOpenAPIKnowsEveryField(t *testing.T) {
	s := readSpec(t)
	for name, v := range map[string]any{
		"NewAppointment": createBody{Repeat: new(repeatBody), Dates: []string{}, Guests: []guestBody{}},
		"Change":         changeBody{}, "Appointment": appointmentBody{Series: "x"},
		"Guest": invitedBody{Language: "x", Address: "x", Link: "x"}, "Mail": mailBody{Reason: "x"},
	} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(raw, &fields); err != nil {
			t.Fatal(err)
		}
		for f := range fields {
			if s.Components.Schemas[name].Properties[f] == nil {
				t.Errorf("%s.%s is not in the document", name, f)
			}
		}
		for f := range s.Components.Schemas[name].Properties {
			if _, ok := fields[f]; !ok {
				t.Errorf("%s.%s is in the document alone", name, f)
			}
		}
	}
	codes := s.Components.Schemas["Error"].Properties["error"].Properties["code"].Enum
	for code := range faults {
		if !slices.Contains(codes, string(code)) {
			t.Errorf("the code %s is not in the document", code)
		}
	}
}
