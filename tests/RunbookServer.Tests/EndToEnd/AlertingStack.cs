using System.Diagnostics;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Debian's Prometheus and Alertmanager: one scrapes the sandbox, the other calls the host's intake.</summary>
internal sealed class AlertingStack : IDisposable
{
    private const string Prometheus = "/usr/bin/prometheus";
    private const string Alertmanager = "/usr/bin/prometheus-alertmanager";

    private readonly string _folder = Directory.CreateTempSubdirectory("alerting-").FullName;
    private readonly List<Process> _processes = [];

    public static bool IsInstalled => File.Exists(Prometheus) && File.Exists(Alertmanager);

    public static AlertingStack Start(RunningHost host)
    {
        var stack = new AlertingStack();
        var manager = FreePort.Next();
        stack.Run(Alertmanager, manager, "alertmanager.yml", $"""
            route: {"{"} receiver: runbooks, group_by: ['...'], group_wait: 10ms, group_interval: 500ms, repeat_interval: 500ms {"}"}
            receivers:
              - name: runbooks
                webhook_configs:
                  - url: {host.Client.Http.BaseAddress}api/alerts/alertmanager
                    send_resolved: true
                    http_config:
                      authorization: {"{"} credentials_file: {Path.Combine(host.DataFolder, ServerDefaults.KeyFile)} {"}"}
            """, "--cluster.listen-address=", $"--storage.path={Path.Combine(stack._folder, "alertmanager")}");
        stack.Write("rules.yml", """
            groups:
              - name: inference
                rules:
                  - alert: InferenceRequestsStuck
                    expr: vllm:num_requests_waiting{namespace="inference"} > 0 and rate(vllm:generation_tokens_total[1m]) == 0
                    labels: { severity: critical }
                    annotations: { summary: "{{ $value }} requests wait on {{ $labels.pod }} and no token comes" }
            """);
        stack.Run(Prometheus, FreePort.Next(), "prometheus.yml", $"""
            global: {"{"} scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms {"}"}
            rule_files: [rules.yml]
            alerting: {"{"} alertmanagers: [{"{"} static_configs: [{"{"} targets: ["127.0.0.1:{manager}"] {"}"}] {"}"}] {"}"}
            scrape_configs:
              - job_name: sandbox
                http_sd_configs: [{"{"} url: "{host.Range.BaseAddress}exporters/targets", refresh_interval: 1s {"}"}]
            """, $"--storage.tsdb.path={Path.Combine(stack._folder, "prometheus")}");
        return stack;
    }

    /// <summary>Prometheus alone, with this configuration.</summary>
    public static AlertingStack Scrape(string config, out Uri address)
    {
        var (stack, port) = (new AlertingStack(), FreePort.Next());
        stack.Run(Prometheus, port, "prometheus.yml", config, $"--storage.tsdb.path={Path.Combine(stack._folder, "prometheus")}");
        address = new Uri($"http://127.0.0.1:{port}/");
        return stack;
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, text);
        return file;
    }

    private void Run(string program, int port, string config, string text, params string[] more)
    {
        var start = new ProcessStartInfo(program, [$"--config.file={Write(config, text)}", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error", .. more])
        {
            WorkingDirectory = _folder,
        };
        _processes.Add(Process.Start(start)!);
    }
}
