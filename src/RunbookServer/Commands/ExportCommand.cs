using System.CommandLine;
using System.Net;
using RunbookServer.Export;
using Runbooks.Engine;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

/// <summary><c>runbook export ID</c>: a finished incident as a test of its runbook.</summary>
internal static class ExportCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var id = ClientOptions.IncidentId("The id of an incident that has ended.");
        var file = new Option<FileInfo?>("--out") { Description = "Where to write it, for example runbooks/tests/hanged-gpu/that-night/test.yaml; the screen unless named." };
        var command = new Command("export", "Turns a finished incident into a test of its runbook.") { id, file };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var path = $"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}";
            var (_, body) = (await api.GetAsync(path, cancellationToken)).OrFail();
            var incident = PastIncidents.Parse(body?.ToJsonString() ?? "", "The host's answer");
            if (!incident.Final)
            {
                throw new CommandException($"Incident {incident.Id} has not ended, it is {CamelCase.Of(incident.State)}; a test needs an end. Try again when it has one.", ExitCode.Failed);
            }

            var text = Header(incident) + TestScriptWriter.Write(IncidentTestWriter.Of(incident));
            if (parsed.GetValue(file) is { } chosen)
            {
                NewFile.Write(chosen.FullName, text, "Name another file with --out.");
                ConsoleOutput.Raw($"Written to {chosen.FullName}. Run it with: runbook test");
            }
            else
            {
                ConsoleOutput.Raw(text.TrimEnd());
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string Header(IncidentView incident) => string.Create(CultureInfo.InvariantCulture, $"""
        # Incident {incident.Id} of {incident.OpenedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC, exported.
        # Runbook {incident.Runbook}, version {incident.RunbookVersion[..12]}.

        """).ReplaceLineEndings("\n");
}

/// <summary>Incidents as the API gives them: from a running host, or from files.</summary>
internal static class PastIncidents
{
    private const int PageSize = 100;

    /// <summary>The listing goes by when they opened; hardly any has waited, held and been worked on for longer than this.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(60);

    /// <exception cref="CommandException">A file is none.</exception>
    public static IReadOnlyList<IncidentView> Read(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(file => Parse(File.ReadAllText(file), file))]
        : throw new CommandException($"There is no folder {folder}. Fill one with: runbook backtest --since 30d --save {folder}");

    /// <summary>All that ended since then.</summary>
    public static async Task<IReadOnlyList<(IncidentView Incident, string Json)>> FetchAsync(ApiClient api, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var found = new List<(IncidentView, string)>();
        var after = "";
        while (true)
        {
            var (_, page) = (await api.GetAsync($"api/incidents?state=final&limit={PageSize}{after}", cancellationToken)).OrFail();
            foreach (var line in page?["incidents"]?.AsArray() ?? [])
            {
                if (line!["openedAt"]!.GetValue<DateTimeOffset>() < since - s_longest)
                {
                    return found;
                }

                if (line["closedAt"]?.GetValue<DateTimeOffset>() < since)
                {
                    continue;
                }

                var answer = await api.GetAsync($"api/incidents/{Uri.EscapeDataString(line["id"]!.ToString())}", cancellationToken);
                if (answer.Status == HttpStatusCode.NotFound)
                {
                    // Its time to be kept has ended since it was listed.
                    continue;
                }

                var json = answer.OrFail().Body?.ToJsonString() ?? "";
                found.Add((Parse(json, line["id"]!.ToString()), json));
            }

            if (page?["next"] is not JsonValue next)
            {
                return found;
            }

            after = $"&after={Uri.EscapeDataString(next.ToString())}";
        }
    }

    /// <exception cref="CommandException">It is in another form than this program knows.</exception>
    public static IncidentView Parse(string json, string from)
    {
        try
        {
            return JsonSerializer.Deserialize<IncidentView>(json, DurableJson.Options)!;
        }
        catch (JsonException other)
        {
            throw new CommandException($"{from} is no incident as this version's API gives it (runbook show ID --json): {other.Message}", ExitCode.Failed);
        }
    }
}
