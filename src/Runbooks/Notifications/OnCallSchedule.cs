using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Schema;

namespace Runbooks.Notifications;

/// <summary>A contact that is a schedule: the people whom it names at the moment are behind it.</summary>
/// <param name="Kind">The system that has the schedule, by its name in contacts: <c>pagerduty</c>, <c>grafanaOncall</c>, <c>ical</c>.</param>
/// <param name="Id">The schedule's id in that system; <c>${NAME}</c> for the value of a setting.</param>
/// <param name="Fallback">Asked when the schedule cannot be asked, or names nobody whom the contacts know.</param>
public sealed record OnCallSchedule(string Kind, string Id, IReadOnlyList<Recipient> Fallback)
{
    /// <summary>IANA name of the zone for whole days and times without a zone; null for the calendar's own zone, else UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>A person whom the contacts do not know gets an e-mail, at the address that the schedule gives.</summary>
    public bool MailUnknown { get; init; }
}

/// <summary>A system that keeps schedules. A duplicate kind fails at start-up.</summary>
public interface IOnCallSource
{
    string Kind { get; }

    /// <summary>What an id looks like, for the schema and for errors.</summary>
    string IdFormat { get; }

    string? ConfigurationError { get; }

    /// <summary>What is wrong with an id; null when it can be used. The system itself is not asked.</summary>
    string? ValidateId(string id);

    /// <summary>The schedule for people to read, without secrets: <c>PagerDuty schedule PI7DH85</c>.</summary>
    string Describe(string id);

    /// <param name="until">Shifts up to then, if the source knows them.</param>
    /// <exception cref="OnCallException">It cannot be asked. The message has no secrets in it.</exception>
    Task<OnCallRoster> ReadAsync(OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken);
}

/// <param name="KnownUntil">The roster says nothing about times after this; null for no limit.</param>
public sealed record OnCallRoster(IReadOnlyList<OnCallShift> Shifts, DateTimeOffset? KnownUntil = null)
{
    public IEnumerable<OnCallShift> At(DateTimeOffset now) => Shifts.Where(shift => !(shift.From > now) && !(shift.Until <= now));
}

/// <param name="From">Null where it has no beginning.</param>
/// <param name="Until">Null where the end is not known.</param>
public sealed record OnCallShift(OnCallPerson Person, DateTimeOffset? From, DateTimeOffset? Until);

/// <param name="Name">Text from outside.</param>
/// <param name="Keys">What the contacts may know them by, the surest first: mail address, id, user name.</param>
public sealed record OnCallPerson(string Name, IReadOnlyList<string> Keys, string? Mail);

/// <summary>A schedule cannot be asked. The message goes on the record, so it must have no secret in it.</summary>
public sealed class OnCallException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Section <c>OnCall</c>: how long answers of schedules are used.</summary>
public sealed class OnCallOptions
{
    public const string SectionName = "OnCall";

    /// <summary>How long an answer is used before the schedule is asked again; never beyond the end of a shift.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long the last answer is used while the schedule cannot be asked; never beyond the end of its shift.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromHours(4);

    /// <summary>Hosts of calendars that may have private addresses: <c>name</c>, <c>name:port</c> or <c>*.domain</c>. Others have to be on the internet.</summary>
    public IList<string> AllowedHosts { get; } = [];
}

/// <param name="withSettings">Whether this is the host that asks. Elsewhere its settings are not checked.</param>
internal sealed class OnCallReader(IReadOnlyList<IOnCallSource> sources, IReadOnlyList<Recipient> recipients, bool withSettings)
{
    private const string FallbackKey = "fallback";

    /// <summary>The team of the file, whose calendars are beside it; null for the common file.</summary>
    public string? Team { get; init; }

    /// <summary>Whether the recipients include everybody whom the file may name.</summary>
    public bool KnowsOthers { get; init; } = true;

    /// <summary>Why a calendar beside the file cannot be read; null where that is not looked at.</summary>
    public Func<IOnCallSource, OnCallSchedule, string?>? FindProblem { get; init; }

    public Contact Read(string name, YamlSection section)
    {
        var known = KnowsOthers ? recipients.Select(recipient => recipient.Name).ToList() : null;
        var named = sources
            .OrderBy(source => source.Kind, StringComparer.Ordinal)
            .Select(source => (Source: source, Id: section.Text(source.Kind, longest: 500).Trim()))
            .Where(pair => pair.Id.Length > 0)
            .ToList();
        var fallback = RecipientReader.Known(section, FallbackKey, known, "person, room or group");
        var zone = section.Text("timeZone", longest: 100);
        var (kind, id) = named.Count > 0 ? (named[0].Source.Kind, named[0].Id) : ("", "");
        List<Recipient> behind = [.. recipients.Where(recipient => fallback.Contains(recipient.Name, StringComparer.OrdinalIgnoreCase))];
        var schedule = new OnCallSchedule(kind, IsTeamCalendar(id) ? $"{Team}/{id}" : id, behind)
        {
            TimeZone = zone.Length > 0 ? zone : null,
            MailUnknown = section.Flag("mailUnknown"),
        };
        section.RejectOthers();
        if (named.Count != 1)
        {
            section.Errors.AtValue(
                section.Path,
                named.Count == 0 ? "names no schedule." : "names several schedules.",
                $"Write one of: {string.Join(", ", sources.Select(source => $"{source.Kind}: {source.IdFormat}"))}. "
                + "For several, make a contact of each.");
        }
        else
        {
            Check(section, named[0].Source, id, schedule);
        }

        if (zone.Length > 0 && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            section.Errors.AtValue(section.PathOf("timeZone"), "is no time zone.", "Write an IANA name such as Europe/Berlin.");
        }

        CheckFallback(name, section, fallback.Count > 0);
        return new(name, []) { Schedule = schedule };
    }

    private bool IsTeamCalendar(string id) => Team is not null && IsCalendar(id) && !id.Contains('/', StringComparison.Ordinal);

    private static bool IsCalendar(string id) => id.EndsWith(".ics", StringComparison.OrdinalIgnoreCase);

    private void Check(YamlSection section, IOnCallSource source, string id, OnCallSchedule schedule)
    {
        var path = section.PathOf(source.Kind);
        if (withSettings && source.ConfigurationError is { } missing)
        {
            section.Errors.AtValue(path, $"cannot be asked: {missing}", "");
        }
        else if (Team is not null && IsCalendar(id) && id.Split('/').Length == 2 && !id.StartsWith($"{Team}/", StringComparison.Ordinal))
        {
            section.Errors.AtValue(path, "names the calendar of another folder.", "Write the name of an .ics file beside this one.");
        }
        else if (source.ValidateId(id) is { } objection && (withSettings || !AddressSecrets.IsReference(id, out _)))
        {
            section.Errors.AtValue(path, $"cannot be used: {objection}", $"Write {source.IdFormat}.");
        }
        else if (FindProblem?.Invoke(source, schedule) is { } problem)
        {
            section.Errors.Warn(
                WarningCodes.CalendarUnreadable,
                path,
                $"does not say who is on call: {problem}",
                "Put that right; until then the fallback is asked each time.");
        }
    }

    private void CheckFallback(string name, YamlSection section, bool has)
    {
        if (has)
        {
            return;
        }

        if (Team is null && ContactBook.IsSameName(name, ContactBook.Fallback))
        {
            section.Errors.AtKey(
                section.PathOf(FallbackKey),
                "is missing.",
                "Nobody comes after the contact 'fallback': name people who are asked when the schedule cannot be.");
        }
        else
        {
            section.Errors.Warn(
                WarningCodes.ScheduleWithoutFallback,
                section.Path,
                "is a schedule that names no fallback: while it cannot be asked, the contact 'fallback' is asked instead.",
                "Add 'fallback:' with people of this file.");
        }
    }

    public static JsonObject Schema(IEnumerable<IOnCallSource> sources)
    {
        var ordered = sources.OrderBy(source => source.Kind, StringComparer.Ordinal).ToList();
        var keys = new JsonObject(ordered.Select(source => KeyValuePair.Create(source.Kind, (JsonNode?)SchemaParts.Text($"{CleanText.Capital(source.IdFormat)}."))));
        keys[FallbackKey] = SchemaParts.TextList("Who is asked when the schedule cannot be asked, or names nobody of this file.");
        keys["timeZone"] = SchemaParts.Text(
            "Of a calendar's times without a zone and of whole days, as an IANA name; what the calendar says, else UTC, when left out.");
        keys["mailUnknown"] = SchemaParts.Flag("Somebody whom the schedule names and this file does not is told by e-mail. They may not decide.");
        var schedule = SchemaParts.Mapping("A schedule: whoever it names at the moment.", keys);
        schedule["anyOf"] = new JsonArray([.. ordered.Select(source => (JsonNode)new JsonObject { ["required"] = SchemaParts.Strings([source.Kind]) })]);
        return schedule;
    }
}
