package safetensors

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// openIndex opens the shards that an index names. Their names cannot lead out of the index's folder.
func openIndex(path string) (*File, error) {
	places, err := readIndex(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer root.Close()
	f := &File{}
	if err := f.openShards(root, path, places); err != nil {
		f.Close()
		return nil, err
	}
	f.sort()
	return f, nil
}

// openShards opens every file that places (tensor → file) names and takes the tensors over that it says are there.
func (f *File) openShards(root *os.Root, path string, places map[string]string) error {
	for _, shard := range places {
		f.Shards = append(f.Shards, shard)
	}
	slices.Sort(f.Shards)
	f.Shards = slices.Compact(f.Shards)
	for _, shard := range f.Shards {
		if !filepath.IsLocal(shard) {
			return format.CorruptAt(path, -1, "weight_map", fmt.Sprintf("file %.200q", shard), "a name within the folder of the index")
		}
		s, err := format.OpenIn(root, shard, filepath.Join(filepath.Dir(path), shard))
		if err != nil {
			return err
		}
		f.sources = append(f.sources, s)
		h, err := readHeader(s)
		if err != nil {
			return err
		}
		for _, t := range h.tensors {
			if places[t.Name] != shard {
				f.Unlisted++
				continue
			}
			delete(places, t.Name)
			f.Tensors = append(f.Tensors, t)
		}
		for key, value := range h.metadata {
			if f.Metadata == nil {
				f.Metadata = map[string]string{}
			}
			f.Metadata[key] = value
		}
	}
	for name, shard := range places {
		return format.CorruptAt(path, -1, fmt.Sprintf("tensor %.200q", name), "no such tensor in "+shard, "the tensor that the index names").
			WithHint("index and shards belong together; fetch all of them again")
	}
	return nil
}

// readIndex reads {"metadata": …, "weight_map": {tensor: file}}.
func readIndex(path string) (map[string]string, error) {
	s, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.Size > maxHeader {
		return nil, s.Corrupt(0, "index", fmt.Sprintf("%d bytes", s.Size), fmt.Sprintf("at most %d", maxHeader))
	}
	text, err := s.Bytes(0, s.Size, "index")
	if err != nil {
		return nil, err
	}
	return parseIndex(s, text)
}

func parseIndex(s *format.Source, text []byte) (map[string]string, error) {
	var places map[string]string
	p := newParser(s, 0, text)
	err := p.object("index", func(key string) error {
		if key != "weight_map" {
			var ignored json.RawMessage
			if err := p.json.Decode(&ignored); err != nil {
				return p.corrupt(fmt.Sprintf("index: %.60q", key), "", "").WithCause(err)
			}
			return nil
		}
		places = map[string]string{}
		return p.object("weight_map", func(name string) error {
			shard, err := p.text("weight_map")
			places[name] = shard
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if places == nil {
		return nil, p.corrupt("index", "no weight_map", "an object weight_map: tensor → file")
	}
	return places, p.end("index")
}
