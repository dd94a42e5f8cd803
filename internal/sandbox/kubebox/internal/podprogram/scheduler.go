package podprogram

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const schedulerName = "kube-scheduler"

// Scheduler is a pod's call of kube-scheduler. Pods with equal ones are replicas
// of each other, of which one would lead.
type Scheduler struct {
	Namespace      string
	ServiceAccount string
	ConfigMap      string // where its configuration file comes from
	Key            string // in the ConfigMap
}

// FindScheduler returns the scheduler that a pod is to run, if it is one with a
// configuration file from a ConfigMap.
func FindScheduler(pod *corev1.Pod) (Scheduler, bool) {
	for _, container := range pod.Spec.Containers {
		arguments, ok := call(container)
		if !ok {
			continue
		}
		file, ok := flagValue(arguments, "config")
		if !ok {
			continue
		}
		configMap, key, ok := origin(pod, container, file)
		if !ok {
			continue
		}
		return Scheduler{
			Namespace:      pod.Namespace,
			ServiceAccount: pod.Spec.ServiceAccountName,
			ConfigMap:      configMap,
			Key:            key,
		}, true
	}
	return Scheduler{}, false
}

// call returns the arguments a container gives to kube-scheduler; false when it
// runs something else.
func call(container corev1.Container) (arguments []string, ok bool) {
	if len(container.Command) == 0 {
		return container.Args, imageName(container.Image) == schedulerName
	}
	return append(container.Command[1:], container.Args...), path.Base(container.Command[0]) == schedulerName
}

// imageName is the last part of an image's repository.
func imageName(image string) string {
	name, _, _ := strings.Cut(path.Base(image), "@")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// flagValue finds --flag=value or --flag value.
func flagValue(arguments []string, flag string) (value string, ok bool) {
	for i, argument := range arguments {
		name, value, joined := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		switch {
		case !strings.HasPrefix(argument, "-") || name != flag:
		case joined:
			return value, true
		case i+1 < len(arguments):
			return arguments[i+1], true
		}
	}
	return "", false
}

// origin finds the ConfigMap and the key in it that a container sees as a file.
func origin(pod *corev1.Pod, container corev1.Container, file string) (configMap, key string, ok bool) {
	for _, mount := range container.VolumeMounts {
		inside, below := strings.CutPrefix(path.Clean(file), path.Clean(mount.MountPath))
		inside = strings.TrimPrefix(path.Join(mount.SubPath, inside), "/")
		if !below || inside == "" {
			continue
		}
		for _, volume := range pod.Spec.Volumes {
			if volume.Name == mount.Name && volume.ConfigMap != nil {
				return volume.ConfigMap.Name, keyOf(volume.ConfigMap.Items, inside), true
			}
		}
	}
	return "", "", false
}

// keyOf translates a path in a volume to the key it comes from.
func keyOf(items []corev1.KeyToPath, inside string) string {
	for _, item := range items {
		if item.Path == inside {
			return item.Key
		}
	}
	return inside
}
