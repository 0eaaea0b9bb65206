// Package language trains and samples language models. So far it is a first corner: a decoder-only transformer on
// characters, as nanoGPT trains it (learned positions, pre-norm, causal attention, exact GELU, a head tied to the token
// table). A [Shape] builds its programs, [Corpus] is the text, [Model] carries it through package run; its example trains
// one and lets it write.
package language
