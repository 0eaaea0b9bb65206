package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
)

// files lists what is generated, by the name it has in package kernel.
var files = []struct {
	name  string
	write func() []byte
}{
	{"attention_amd64.s", attentionFile},
	{"matmul_amd64.s", matmulFile},
	{"map_amd64.s", mapFile},
	{"matmul_bf16_amd64.s", matmulBF16File},
	{"matmul_pack_amd64.s", packFile},
	{"binary_amd64.s", binaryFile},
	{"optimizer_amd64.s", optimizerFile},
	{"rows_amd64.s", rowsFile},
	{"spmm_amd64.s", spmmFile},
	{"spgemm_amd64.s", spgemmFile},
	{"dropout_amd64.s", dropoutFile},
	{"convert_amd64.s", convertFile},
}

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", ".", "folder to write into")
	flag.Parse()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(*dir, f.name), f.write(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
