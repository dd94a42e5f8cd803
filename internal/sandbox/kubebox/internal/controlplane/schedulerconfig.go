package controlplane

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
)

// parseSchedulerConfiguration reads a configuration file of kube-scheduler.
func parseSchedulerConfiguration(content string) (*config.KubeSchedulerConfiguration, error) {
	decoded, _, err := scheme.Codecs.UniversalDecoder().Decode([]byte(content), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("scheduler configuration: %w", err)
	}
	configuration, ok := decoded.(*config.KubeSchedulerConfiguration)
	if !ok {
		return nil, fmt.Errorf("scheduler configuration: found a %T", decoded)
	}
	if err := validation.ValidateKubeSchedulerConfiguration(configuration); err != nil {
		return nil, fmt.Errorf("scheduler configuration: %w", err)
	}
	// Pods without a scheduler's name are the cluster's own scheduler's.
	configuration.Profiles = slices.DeleteFunc(configuration.Profiles, func(profile config.KubeSchedulerProfile) bool {
		return profile.SchedulerName == corev1.DefaultSchedulerName
	})
	if len(configuration.Profiles) == 0 {
		return nil, errors.New("scheduler configuration: no profile beside the default scheduler's")
	}
	return configuration, nil
}
