using System.Net;
using Runbooks.Engine;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

internal static class PastIncidents
{
    private const int PageSize = 100;

    /// <summary>The list is sorted by the opening. Hardly any incident takes longer than this from there to its end.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(60);

    public static IReadOnlyList<IncidentView> Read(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(file => Parse(File.ReadAllText(file), file))]
        : throw new CommandException($"There is no folder {folder}. Fill one with: runbook backtest --since 30d --save {folder}");

    public static async Task<IReadOnlyList<(IncidentView Incident, string Json)>> FetchAsync(
        ApiClient api, DateTimeOffset since, CancellationToken cancellationToken)
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

                var answer = await api.GetAsync(ApiClient.PathOf(line["id"]!.ToString()), cancellationToken);
                if (answer.Status == HttpStatusCode.NotFound)
                {
                    // The host has deleted it since it was listed.
                    continue;
                }

                var json = answer.OrFail().Body?.ToJsonString() ?? "";
                var incident = Parse(json, line["id"]!.ToString());

                // Closing an ended incident by hand moves its last time and writes a second line, so the first line is the end.
                if (!(incident.Timeline.FirstOrDefault(entry => entry.Kind == TimelineKind.Closed)?.At < since))
                {
                    found.Add((incident, json));
                }
            }

            if (page?["next"] is not JsonValue next)
            {
                return found;
            }

            after = $"&after={Uri.EscapeDataString(next.ToString())}";
        }
    }

    /// <exception cref="CommandException">This program does not know its form.</exception>
    public static IncidentView Parse(string json, string from)
    {
        try
        {
            return JsonSerializer.Deserialize<IncidentView>(json, DurableJson.Options)!;
        }
        catch (JsonException other)
        {
            throw new CommandException(
                $"{from} is no incident as this version's API gives it (runbook show ID --json): {other.Message}", ExitCode.Failed);
        }
    }
}
