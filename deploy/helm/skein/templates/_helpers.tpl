{{- define "skein.labels" -}}
app.kubernetes.io/name: skein
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "skein.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What both roles mount and know: (dict "root" . "role" "executor") */}}
{{- define "skein.environment" -}}
env:
  - name: POD
    valueFrom: { fieldRef: { fieldPath: metadata.name } }
  - name: SKEIN_ADVERTISE
    value: "$(POD).{{ .root.Release.Name }}-{{ .role }}.{{ .root.Release.Namespace }}.svc:4290"
  - name: SKEIN_DRAIN
    value: "{{ int (index .root.Values .role).drainSeconds }}s"
{{- if .root.Values.secrets.environment }}
envFrom:
  - secretRef: { name: {{ .root.Values.secrets.environment }} }
{{- end }}
{{- end }}

{{- define "skein.mounts" -}}
volumeMounts:
  - { name: config, mountPath: /etc/skein }
  - { name: nodes, mountPath: /etc/skein-nodes, readOnly: true }
{{- if .Values.secrets.etcd }}
  - { name: etcd, mountPath: /etc/skein-etcd, readOnly: true }
{{- end }}
  - { name: data, mountPath: /var/lib/skein }
{{- end }}

{{- define "skein.volumes" -}}
volumes:
  - name: config
    configMap: { name: {{ .Release.Name }}-config }
  - name: nodes
    secret: { secretName: {{ .Values.secrets.nodes }}, defaultMode: 0400 }
{{- if .Values.secrets.etcd }}
  - name: etcd
    secret: { secretName: {{ .Values.secrets.etcd }}, defaultMode: 0400 }
{{- end }}
{{- end }}

{{- define "skein.claims" -}}
volumeClaimTemplates:
  - metadata: { name: data }
    spec:
      accessModes: [ReadWriteOnce]
{{- if .className }}
      storageClassName: {{ .className }}
{{- end }}
      resources: { requests: { storage: {{ .size }} } }
{{- end }}

{{- define "skein.security" -}}
securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: { type: RuntimeDefault } }
{{- end }}

{{- define "skein.containerSecurity" -}}
securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
{{- end }}
