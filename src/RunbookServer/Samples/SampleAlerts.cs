using System.Reflection;
using System.Text;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using Runbooks.Sandbox.Apis;

namespace RunbookServer.Samples;

/// <summary>The alerts that come with the program, as their senders write them: <c>{runbook}.{source}[.resolved]</c>.</summary>
internal static class SampleAlerts
{
    private const string Prefix = "samples/";
    private static readonly string[] s_senders =
    [
        AlertSource.AzureMonitor,
        AlertSource.Alertmanager,
        AlertSource.Grafana,
        AlertSource.EventGrid,
        AlertSource.Generic,
    ];
    private static readonly Uri s_usual = new($"http://127.0.0.1:{SandboxOptions.DefaultPort}");
    private static readonly Assembly s_assembly = typeof(SampleAlerts).Assembly;

    public static IReadOnlyList<string> Names { get; } =
    [
        .. s_assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^".json".Length])
            .Order(),
    ];

    public static Option<string?> SourceOption()
    {
        var source = new Option<string?>("--source")
        {
            Description = "Who sends the alert, where the file's name (x.alertmanager.json) does not say it.",
        };
        source.AcceptOnlyFromAmong(s_senders);
        return source;
    }

    /// <summary>A sample by its name, by its runbook's name, or a file.</summary>
    /// <param name="sandbox">The address of the sandbox in the sample's text; null for the usual one.</param>
    public static (string Source, byte[] Body) Read(string name, string? source, Uri? sandbox = null)
    {
        // A runbook's name alone means the alert that Azure Monitor sends for it, or else its only one.
        var sample = Names.FirstOrDefault(known => known == name || known == $"{name}.{AlertSource.AzureMonitor}")
            ?? Names.SingleOrDefault(known => known.StartsWith($"{name}.", StringComparison.Ordinal));
        if (sample is not null)
        {
            using var stream = s_assembly.GetManifestResourceStream($"{Prefix}{sample}.json")!;
            using var text = new StreamReader(stream);
            var body = text.ReadToEnd().Replace(s_usual.Authority, (sandbox ?? s_usual).Authority, StringComparison.Ordinal);
            return (source ?? sample.Split('.')[1], Encoding.UTF8.GetBytes(body));
        }

        if (!File.Exists(name))
        {
            var candidates = Names.Concat(Names.Select(known => known.Split('.')[0]));
            throw new CommandException(
                $"There is no sample and no file '{name}'. {Suggestion.For(name, candidates)}Samples: {string.Join(", ", Names)}.");
        }

        return new FileInfo(name).Length <= AlertLimits.Body
            ? (source ?? SourceOf(name), BytesOf(name))
            : throw new CommandException($"{name} is larger than {AlertLimits.Body} bytes; no sender's alert is.");
    }

    /// <summary>
    /// The bytes as they are, since the host knows encodings. Only UTF-16 is converted: Windows PowerShell writes redirected output
    /// so, and no sender posts it.
    /// </summary>
    private static byte[] BytesOf(string file)
    {
        var bytes = File.ReadAllBytes(file);
        return bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] ? Encoding.UTF8.GetBytes(File.ReadAllText(file)) : bytes;
    }

    private static string SourceOf(string file) =>
        Path.GetFileName(file).Split('.').FirstOrDefault(part => s_senders.Contains(part))
        ?? throw new CommandException($"Who sends {file}? Say it with --source {string.Join(", ", s_senders)}.");
}
