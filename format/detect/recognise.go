package detect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/matrixmarket"
	"github.com/seraph-ml/seraph/format/metis"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/planetoid"
	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/format/shchur"
	"github.com/seraph-ml/seraph/format/table"
	"github.com/seraph-ml/seraph/format/tfevents"
)

// Recognise says what path is. A path that is nothing Seraph knows is a *format.CorruptError; for one that does not exist the
// error is fs.ErrNotExist.
func Recognise(path string) (Kind, error) {
	if planetoid.Is(path) {
		return planetoidSet, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return Kind{}, err
	}
	if info.IsDir() {
		return recogniseFolder(path)
	}
	return recogniseFile(path)
}

func recogniseFolder(path string) (Kind, error) {
	if ogb.Is(path) {
		return ogbSet, nil
	}
	if ogb.IsHetero(path) {
		return ogbHetero, nil
	}
	unknown := format.CorruptAt(path, -1, "data", "a folder of other files", "a data set in the OGB layout (raw/edge.csv, raw/num-node-list.csv, …)")
	for _, pattern := range []string{"ind.*.graph", "*.safetensors.index.json", "*.safetensors"} {
		inside, err := filepath.Glob(filepath.Join(path, pattern))
		if err == nil && len(inside) > 0 {
			return Kind{}, unknown.WithHint("name what is in it: " + strings.TrimSuffix(inside[0], ".graph"))
		}
	}
	return Kind{}, unknown
}

// recogniseFile looks at the first bytes where a format has some of its own, at the name, and at the first lines of text, in
// this order.
func recogniseFile(path string) (Kind, error) {
	s, err := format.Open(path)
	if err != nil {
		return Kind{}, err
	}
	defer s.Close()
	head, err := s.Bytes(0, min(s.Size, 16), "first bytes")
	if err != nil {
		return Kind{}, err
	}
	ext := strings.ToLower(filepath.Ext(path))
	switch {
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return npyArray, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return recogniseZip(path, ext)
	case sgraph.Is(head):
		return seraphGraph, nil
	case parquet.Is(head):
		return parquetTable, nil
	case tfevents.Is(path, head):
		return events, nil
	case beginsCheckpoint(head, s.Size), strings.HasSuffix(path, ".safetensors.index.json"):
		return checkpoint, nil
	case len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return pickleObject, nil
	}
	if kind, ok := byName[ext]; ok { // damaged beyond recognition: its reader says how
		return kind, nil
	}
	return recogniseText(path, head)
}

// byName are the formats that a name tells where the first bytes do not.
var byName = map[string]Kind{
	".npy": npyArray, ".npz": npzArchive, ".parquet": parquetTable, ".safetensors": checkpoint, ".pickle": pickleObject, ".pkl": pickleObject, ".mtx": matrixMarket, ".sgraph": seraphGraph,
}

func recogniseZip(path, ext string) (Kind, error) {
	switch {
	case shchur.Is(path):
		return shchurSet, nil
	case ext == ".npz":
		return npzArchive, nil
	}
	z, err := format.OpenZip(path)
	if err != nil {
		return Kind{}, err // damaged beyond recognition
	}
	z.Close()
	return Kind{}, format.CorruptAt(path, -1, "data", "a zip archive of other files", "a graph in an npz archive, alone or in a zip").
		WithHint("unpack it and name what is in it")
}

// beginsCheckpoint says whether a file begins like safetensors: with the length of a header within the file, and its brace.
func beginsCheckpoint(head []byte, size int64) bool {
	return len(head) > 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) <= uint64(size)-8
}

func recogniseText(path string, head []byte) (Kind, error) {
	switch {
	case matrixmarket.Is(path):
		return matrixMarket, nil
	case metis.Is(path):
		return metisGraph, nil
	case table.IsCSV(path):
		return csvTable, nil
	case edgelist.Is(path):
		return edgeList, nil
	case isText(path):
		return plainText, nil
	}
	found := fmt.Sprintf("a file that begins with %q", head)
	if len(head) == 0 {
		found = "an empty file"
	}
	return Kind{}, format.CorruptAt(path, -1, "data", found, "a format that Seraph reads").
		WithHint("graphs: planetoid prefix, npz, OGB folder, edge list, METIS, MatrixMarket, sgraph; tables: CSV, Parquet; arrays: npy, npz, safetensors; TensorBoard events")
}
