// Package tfevents writes and reads TensorBoard's event files. A file is a sequence of records, each an Event in protocol
// buffers:
//
//	8 bytes   n, little-endian
//	4 bytes   masked CRC-32C of those 8 bytes
//	n bytes   the event: time, step, and the version of the file, scalars, text, or the start of a session
//	4 bytes   masked CRC-32C of the n bytes
//
// A CRC-32C c is masked as (c rotated right by 15) + 0xa282ead8. The first record holds the version, "brain.Event:2". A file is never
// continued: every start of a program makes a new one, and where it resumes at a step, TensorBoard forgets what other files say of
// later ones. The format is that of tensorflow/core/util/event.proto and tensorflow/core/lib/io/record_writer.cc.
package tfevents
