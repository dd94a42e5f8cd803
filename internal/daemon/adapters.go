package daemon

import (
	"context"
	"errors"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/daemon/version"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/server"
)

func openInventory(ctx context.Context, config InventoryConfig) (inventory.Store, error) {
	if config.SQLite != "" {
		return inventory.OpenSQLite(ctx, config.SQLite)
	}
	url := config.PostgreSQL
	if config.PostgreSQLFile != "" {
		content, err := os.ReadFile(config.PostgreSQLFile)
		if err != nil {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the inventory's URL: %w", err)
		}
		url = strings.TrimSpace(string(content))
	}
	return inventory.OpenPostgres(ctx, url)
}

func restConfig(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the management cluster's kubeconfig: %w", err)
	}
	return config, nil
}

// decodeBundle makes a stored bundle of a baseline's files.
func decodeBundle(path string, files map[string][]byte) (inventory.Bundle, error) {
	bundle, err := baseline.FromFiles(path, files)
	if err != nil {
		return inventory.Bundle{}, err
	}
	status := fleet.BaselineStatus{Digest: bundle.Digest, Files: bundle.Files(), Size: bundle.Size()}
	resource, err := fleet.NewResource(fleet.KindBaseline, fleet.BaselineName(bundle.Name, bundle.Version), bundle.Spec, status)
	if err != nil {
		return inventory.Bundle{}, err
	}
	resource.Metadata.Version = bundle.Version
	return inventory.Bundle{Resource: resource, Digest: bundle.Digest, Content: bundle.Content()}, nil
}

// regionKnown asks the provider's catalog.
func (d *Daemon) regionKnown(ctx context.Context, name string) (bool, error) {
	_, err := d.plugins.Region(ctx, name)
	if errors.Is(err, fleet.ErrNotFound) || errors.Is(err, fleet.ErrInvalid) {
		return false, nil
	}
	return err == nil, err
}

func thisVersion() server.Version {
	return server.Version{Version: version.Version, Commit: version.Commit(), GoVersion: version.Go()}
}
