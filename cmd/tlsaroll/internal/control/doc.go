// Package control is the transport of the control socket: over it a running
// daemon carries out the program's commands. What commands mean is not known here.
//
// The socket is a Unix one with mode 0660. Who connects is asked of the kernel, and has
// to be root, the daemon's own user or a member of the control group. A request is
// an HTTP/1.1 POST to /v1/carry with a JSON body; a certificate pair travels in it as
// content, never as a path, and the private key reaches no log and no error. A
// request that is not carried out is answered with a sentence of plain text. Else
// the answer is a stream of frames, JSON objects a line each, which the client plays
// back as they come:
//
//	{"kind":"hello","hello":{"protocol":1,"version":"v1.2.3","pid":4711}}
//	{"kind":"say","text":"…"}      also result, stick and unstick, see Face
//	{"kind":"beat"}
//	{"kind":"exit","exit":3}
//
// The hello comes before anything is done: a connection that ends without one has
// changed nothing, and the caller may work on its own. Then a beat follows
// every two seconds while the scheduler answers. A client that hears nothing for ten
// gives up: somebody listens there, and is stuck.
//
// All versions of the protocol share the path, the fields protocol and version of the
// request, and the sentences, so that any two programs can say that they are unlike.
package control
