// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// maxAudit bounds the answer of the administration endpoint.
const maxAudit = 8 << 20

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit [--json] [--address <admin>] [--config <path> [--adapter <name>]]",
		Short: "Prints what the running server does with people's data",
		Long: `
Prints what the running server listens on and may call, which sockets and files
it really has open, how long it keeps what, what is switched on and off, whether
calls are encrypted from end to end, and which versions it is built from.

It reads the effective configuration and the process itself. It names no person,
no visitor's address and no secret, so that the page can be handed to whoever is
responsible for data protection. It is no certificate.

Caddy must be running with a configuration that uses videoroom, and with its
administration endpoint switched on.`,
		Example: `  caddy videoroom audit
  caddy videoroom audit --json --address unix//run/caddy/admin.sock`,
		Args: cobra.NoArgs,
		RunE: caddycmd.WrapCommandFuncForCobra(printAudit),
	}
	cmd.Flags().Bool("json", false, "Print everything as JSON, module hashes included")
	adminFlags(cmd)
	return cmd
}

func printAudit(fl caddycmd.Flags) (int, error) {
	answer, err := askAdmin(fl, http.MethodGet, adminAuditPath, nil, maxAudit)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if fl.Bool("json") {
		_, err = os.Stdout.Write(answer)
		return caddy.ExitCodeSuccess, err
	}
	var report auditReport
	if err := json.Unmarshal(answer, &report); err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading the answer: %w", err)
	}
	if err := report.print(os.Stdout); err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("printing the report: %w", err)
	}
	return caddy.ExitCodeSuccess, nil
}

// print writes the report for a person.
func (report *auditReport) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "videoroom %s in Caddy %s, %s, %s\n\n", report.Versions.Module, report.Versions.Caddy, report.Versions.Go, report.Time)
	fmt.Fprint(t, "LISTENS ON (as configured)\n")
	for _, l := range report.Listeners {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", l.Network, l.Address, l.Purpose)
	}
	fmt.Fprint(t, "\nMAY CALL (as configured; Caddy itself also calls certificate authorities)\n")
	if len(report.Outbound) == 0 {
		fmt.Fprint(t, "  nobody\n")
	}
	for _, o := range report.Outbound {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", o.Site, o.Setting, o.To, o.Purpose)
	}
	report.printProcess(t)
	fmt.Fprintf(t, "\nSTORES IN\n  %s\n", report.Storage)
	for i := range report.Sites {
		report.Sites[i].print(t)
	}
	fmt.Fprintf(t, "\nBUILT FROM\n  %d modules; --json lists them with their hashes\n", len(report.Versions.Modules))
	return t.Flush()
}

func (report *auditReport) printProcess(t io.Writer) {
	fmt.Fprint(t, "\nSOCKETS OF THE PROCESS (as the system says)\n")
	if !report.Sockets.Known {
		fmt.Fprint(t, "  not told by this system\n")
	} else {
		fmt.Fprintf(t, "  listening\t%s\n  inbound connections\t%d\n  outbound connections\t%s\n",
			orNone(report.Sockets.Listening), report.Sockets.Inbound, orNone(report.Sockets.Outbound))
	}
	fmt.Fprint(t, "\nOPEN FILES OF THE PROCESS\n")
	if !report.Files.Known {
		fmt.Fprint(t, "  not told by this system\n")
	} else {
		fmt.Fprintf(t, "  %s\n", strings.ReplaceAll(orNone(report.Files.Open), ", ", "\n  "))
	}
}

func (s *auditSite) print(t io.Writer) {
	fmt.Fprintf(t, "\nSITE %s\t%s\n", s.ID, s.Address)
	if s.Profile != "" {
		fmt.Fprintf(t, "  profile\t%s\n", s.Profile)
	}
	fmt.Fprintf(t, "  appointments are deleted\t%s after their end\n", s.Retention)
	for _, f := range s.Features {
		state := "off"
		if f.On {
			state = "on"
		}
		fmt.Fprintf(t, "  %s\t%s\t(%s)\n", f.Name, state, f.Setting)
	}
	for _, k := range s.Kinds {
		fmt.Fprintf(t, "  kind %s\trecording %s\tup to %d people\n", k.ID, k.Recording, k.MaxParticipants)
	}
	if len(s.Requirements) > 0 {
		fmt.Fprint(t, "  Technical demands of Anlage 31b BMV-Ä; this list is no certificate:\n")
	}
	for _, c := range s.Requirements {
		fmt.Fprintf(t, "  %s\t%s\t(%s)\n", c.State, c.Demand, c.Because)
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
