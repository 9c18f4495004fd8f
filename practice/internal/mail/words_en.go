// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

var english = words{
	hello: "Hello,", regards: "Kind regards", summary: "Appointment",
	subject: map[What]string{
		Invitation:   "Your appointment on %s",
		Reminder:     "Your appointment at %s",
		Change:       "New time for your appointment: %s",
		Cancellation: "Your appointment on %s is cancelled",
	},
	title: map[What]string{
		Invitation:   "Your video call is booked",
		Reminder:     "Your video call is soon",
		Change:       "Your video call has a new time",
		Cancellation: "Your video call is cancelled",
	},
	lead: map[What]string{
		Invitation:   "We look forward to talking with you. Here is all you need.",
		Reminder:     "It is almost time. This link takes you to your call.",
		Change:       "Your appointment has moved. Please note the new time.",
		Cancellation: "This appointment will not take place. There is nothing you need to do.",
	},
	movedFrom: "Before: %s. That time no longer applies.",
	when:      "When", who: "With", where: "Where", inBrowser: "In your browser, no account, no app",
	localTime: "%s time", span: "%s to %s", date: "%[1]s, %[2]d %[3]s %[4]d",
	linkComes:  "We will send you the link to the call %s before.",
	linkHere:   "This link takes you to your call:",
	linkOnly:   "The link is for you alone. Please do not pass it on.",
	linkOpens:  "You can enter %s before the start.",
	enter:      "You will wait a moment in a waiting room. %s will let you in.",
	roomButton: "Go to the call",
	shownAs:    "If the button does not work, open this address:",
	testHead:   "Try it beforehand", testButton: "Test your device",
	testText:    "Check camera, sound and connection at your own pace. It takes about a minute.",
	prepareHead: "For a good conversation",
	checklist: []string{
		"Find a quiet place where nobody disturbs you.",
		"Silence your phone and the doorbell.",
		"Plug in your device. Put it at eye level.",
		"Sit so that light comes from the front.",
		"Use headphones if somebody might overhear you.",
	},
	planHead:   "If technology fails",
	planText:   "Just call %s. Then we talk on the phone.",
	planNone:   "Reply to this e-mail. We will get in touch.",
	cancelText: "You cannot make it? Please let us know in time: %s.",
	cancelNone: "You cannot make it? Please reply to this e-mail in time.",
	again:      "Would you like a new appointment? We are glad to help: %s.", noReply: "Would you like a new appointment? Just reply to this e-mail.",
	inPersonText: "Would you rather come to us? That is fine, too.", inPersonButton: "Meet in person?",
	calendar: map[What]string{
		Invitation:   "The appointment for your calendar is attached.",
		Change:       "The attachment moves the appointment in your calendar.",
		Cancellation: "The attachment removes the appointment from your calendar.",
	},
	minutes: "%d minutes", minute: "1 minute", hours: "%d hours", hour: "1 hour",
	someHost: "The practice",
	weekdays: englishWeekdays, months: englishMonths,
}
