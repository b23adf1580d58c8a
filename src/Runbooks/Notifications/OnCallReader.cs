using System.Text.Json.Nodes;
using Runbooks.Catalog.Schema;

namespace Runbooks.Notifications;

/// <summary>Reads a contact that is a schedule, and says what may stand there.</summary>
/// <param name="withSettings">Whether this is the host that asks; elsewhere, what only its settings can tell is not asked.</param>
internal sealed class OnCallReader(IReadOnlyList<IOnCallSource> sources, IReadOnlyList<Recipient> recipients, bool withSettings)
{
    private const string FallbackKey = "fallback";

    /// <summary>Whose file it is, whose calendars lie beside it; null for the common one.</summary>
    public string? Team { get; init; }

    /// <summary>Whether everybody whom the file may name is among the recipients.</summary>
    public bool KnowsOthers { get; init; } = true;

    public Contact Read(string name, YamlSection section)
    {
        var known = KnowsOthers ? recipients.Select(recipient => recipient.Name).ToList() : null;
        var found = sources.OrderBy(source => source.Kind, StringComparer.Ordinal).Select(source => (Source: source, Id: section.Text(source.Kind, longest: 500).Trim())).Where(one => one.Id.Length > 0).ToList();
        var fallback = RecipientReader.Known(section, FallbackKey, known, "person, room or group");
        var zone = section.Text("timeZone", longest: 100);
        var schedule = new OnCallSchedule(
            found.Count > 0 ? found[0].Source.Kind : "", found.Count > 0 ? found[0].Id : "", [.. recipients.Where(recipient => fallback.Contains(recipient.Name, StringComparer.OrdinalIgnoreCase))])
        {
            TimeZone = zone.Length > 0 ? zone : null,
            MailUnknown = section.Flag("mailUnknown"),
        };
        section.RejectOthers();
        if (found.Count != 1)
        {
            section.Errors.AtValue(section.Path, found.Count == 0 ? "names no schedule." : "names several schedules.",
                $"Write one of: {string.Join(", ", sources.Select(source => $"{source.Kind}: {source.IdWords}"))}. For several, make a contact of each.");
        }
        else
        {
            Check(section, found[0].Source, found[0].Id);
        }

        if (zone.Length > 0 && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            section.Errors.AtValue(section.PathOf("timeZone"), "is no time zone.", "Write an IANA name such as Europe/Berlin.");
        }

        CheckFallback(name, section, fallback.Count > 0);
        return new(name, []) { Schedule = Team is not null && schedule.Id.EndsWith(".ics", StringComparison.OrdinalIgnoreCase) && !schedule.Id.Contains('/', StringComparison.Ordinal) ? schedule with { Id = $"{Team}/{schedule.Id}" } : schedule };
    }

    private void Check(YamlSection section, IOnCallSource source, string id)
    {
        var path = section.PathOf(source.Kind);
        if (withSettings && source.ConfigurationError is { } missing)
        {
            section.Errors.AtValue(path, $"cannot be asked: {missing}", "");
        }
        else if (source.ValidateId(id) is { } objection && (withSettings || !AddressSecrets.IsReference(id, out _)))
        {
            section.Errors.AtValue(path, $"cannot be used: {objection}", $"Write {source.IdWords}.");
        }
    }

    private void CheckFallback(string name, YamlSection section, bool has)
    {
        if (has)
        {
            return;
        }

        if (Team is null && string.Equals(name, ContactBook.Fallback, StringComparison.OrdinalIgnoreCase))
        {
            section.Errors.AtKey(section.PathOf(FallbackKey), "is missing.", "Nobody comes after the contact 'fallback': name people who are asked when the schedule cannot be.");
        }
        else
        {
            section.Errors.Warn(WarningCodes.ScheduleWithoutFallback, section.Path, "is a schedule that names no fallback: while it cannot be asked, the contact 'fallback' is asked instead.", "Add 'fallback:' with people of this file.");
        }
    }

    public static JsonObject Schema(IEnumerable<IOnCallSource> sources)
    {
        var all = sources.OrderBy(source => source.Kind, StringComparer.Ordinal).ToList();
        var keys = new JsonObject(all.Select(source => KeyValuePair.Create(source.Kind, (JsonNode?)SchemaParts.Text($"{char.ToUpperInvariant(source.IdWords[0])}{source.IdWords[1..]}."))));
        keys[FallbackKey] = SchemaParts.Words("Who is asked when the schedule cannot be asked, or names nobody of this file.");
        keys["timeZone"] = SchemaParts.Text("Of a calendar's times without a zone and of whole days, as an IANA name; what the calendar says, else UTC, when left out.");
        keys["mailUnknown"] = SchemaParts.Flag("Somebody whom the schedule names and this file does not is told by e-mail. They may not decide.");
        var schedule = SchemaParts.Mapping("A schedule: whoever it names at the moment.", keys);
        schedule["anyOf"] = new JsonArray([.. all.Select(source => (JsonNode)new JsonObject { ["required"] = SchemaParts.Strings([source.Kind]) })]);
        return schedule;
    }
}
