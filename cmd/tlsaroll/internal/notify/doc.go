// Package notify tells people about warnings: through a command, a mail or a
// webhook.
//
// [Told.Next] decides and is pure: from what people were told before, the
// warnings now and the time it gives what to tell them and what to remember. One
// that appears is told at once, once; again where its severity rises, and daily
// while it lasts; and that it cleared, once it was away for a while.
//
// A [Teller] is the shell around it. What was told, and what could not be
// delivered yet, is durable in one small file: a restart repeats nothing and
// forgets nothing. A delivery that a crash interrupts is made again.
package notify
