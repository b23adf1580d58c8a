namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Events of Azure Event Grid, one or a list, as CloudEvents 1.0 (https://learn.microsoft.com/azure/event-grid/cloud-event-schema) or in
/// Event Grid's own schema. An event may carry an Azure Monitor alert.
/// </summary>
internal sealed class EventGridParser : IAlertParser
{
    public string Source => AlertSource.EventGrid;

    public ParsedAlerts Parse(JsonElement body)
    {
        var post = new Payload(body);
        return post.IsArray ? AlertList.Read(post, "$", Read) : AlertList.ReadSingle(post, "$", Read);
    }

    private Alert? Read(Payload post, string path, PostReport report)
    {
        var gridEvent = new GridEvent(post);
        if (ForeignPost.IsValidation(post))
        {
            report.Lose(
                new(
                    $"{path}.data.validationCode",
                    post["data"]["validationCode"].Found,
                    "let Event Grid send its validation event by itself, with the code as text"),
                alerts: 0);
            return null;
        }

        if (gridEvent.Type is not { } type)
        {
            if (!ForeignPost.Report(post, path, report))
            {
                report.Lose(new(
                    $"{path}.type",
                    post["type"].Found,
                    "let the event subscription deliver events as CloudEvents 1.0 or in the Event Grid schema"));
            }

            return null;
        }

        return AzureMonitorParser.Carries(gridEvent.Data)
            ? AzureMonitorParser.Read(gridEvent.Data, $"{path}.data", report)
            : ToAlert(gridEvent, type);
    }

    private Alert ToAlert(GridEvent gridEvent, string type)
    {
        var alert = ToFiring(gridEvent, type);
        return ResourceHealth.Of(alert) is { } health ? health.Told(alert)
            : gridEvent.IsOver ? alert with { Status = AlertStatus.Resolved, StartsAt = null, EndsAt = gridEvent.Time }
            : alert;
    }

    private Alert ToFiring(GridEvent gridEvent, string type) => new()
    {
        Source = Source,
        Name = type,
        Fingerprint = AlertFingerprint.Of([Same(gridEvent.Source), Same(gridEvent.Subject), Same(type), .. gridEvent.Which.Select(Same)]),
        Severity = gridEvent.Data["severity"].Line(AlertLimits.Severity),
        Summary = gridEvent.Summary,
        Labels = gridEvent.Labels.Values,
        Annotations = gridEvent.Annotations.Values,
        StartsAt = gridEvent.Time,
        Link = gridEvent.Resource is { } path && path.StartsWith('/')
            ? AlertLink.Clean($"https://portal.azure.com/#resource{path}")
            : null,
        Resources = gridEvent.Resource is { } resource ? [resource] : [],
    };

    /// <summary>Azure's case varies in the ids of resources.</summary>
    private static string Same(string? text) => text?.ToUpperInvariant() ?? "";
}

internal sealed class GridEvent(Payload post)
{
    public string? Type { get; } = post["type"].Line(AlertLimits.Name) ?? post["eventType"].Line(AlertLimits.Name);

    public string? Source { get; } = post["source"].Line(AlertLimits.LabelValue) ?? post["topic"].Line(AlertLimits.LabelValue);

    public string? Subject { get; } = post["subject"].Line(AlertLimits.LabelValue);

    public DateTimeOffset? Time { get; } = post["time"].Time() ?? post["eventTime"].Time();

    public Payload Data { get; } = post["data"];

    private Payload Properties => Data["resourceInfo"]["properties"];

    /// <summary>The id of an Azure resource.</summary>
    public string? Resource =>
        Id(Properties["targetResourceId"]) ?? Id(post["subject"]) ?? Id(post["source"]) ?? Id(post["topic"]);

    /// <summary>Fields that identify the event, and not what it happened to.</summary>
    private static readonly HashSet<string> s_ofEvent = new(StringComparer.OrdinalIgnoreCase)
    {
        "correlationId", "requestId", "clientRequestId", "operationId", "eventId", "sequencer",
    };

    /// <summary>
    /// Distinguishes two events of one kind about one subject, such as two node pools of a cluster. Where a later event ends the alert,
    /// only what both say may count.
    /// </summary>
    public IEnumerable<string> Which
    {
        get
        {
            if (Ends("AvailabilityStatusChanged"))
            {
                return [];
            }

            if (Ends("ScheduledEventEmitted"))
            {
                var id = Properties["eventId"].Line(AlertLimits.LabelValue);
                return id is null || Subject?.EndsWith(id, StringComparison.OrdinalIgnoreCase) == true ? [] : [id];
            }

            return LabelSet.ForLabels().AddAll(Data).AddAll(Properties).Values
                .Where(label => !AlertLabels.MayChange(label.Key) && !s_ofEvent.Contains(label.Key) && !IsTime(label.Value))
                .OrderBy(label => label.Key, StringComparer.Ordinal)
                .SelectMany(label => new[] { label.Key, label.Value });
        }
    }

    /// <summary>Only where the event itself says so.</summary>
    public bool IsOver =>
        (Ends("AvailabilityStatusChanged") && Is(Properties["availabilityState"], "Available"))
        || (Ends("ScheduledEventEmitted") && (Is(Properties["eventStatus"], "Completed") || Is(Properties["eventStatus"], "Canceled")));

    public string? Summary
    {
        get
        {
            foreach (var word in (string[])["summary", "title", "description", "message"])
            {
                if ((Data[word].Line(AlertLimits.Summary) ?? Properties[word].Line(AlertLimits.Summary)) is { } told)
                {
                    return told;
                }
            }

            if (Properties["availabilityState"].Line(100) is { } state)
            {
                var name = ResourceId.Parse(Resource)?.Name ?? Subject;
                var before = Properties["previousAvailabilityState"].Line(100) ?? "not known";
                return CleanText.Clean($"{name} is {state}, before that {before}", AlertLimits.Summary, oneLine: true);
            }

            var until = ExpiresAt is { } expires ? $", expires {expires}" : "";
            var kind = Type![(Type!.LastIndexOf('.') + 1)..];
            return CleanText.Clean($"{kind}: {VaultObject ?? Subject ?? Source}{until}", AlertLimits.Summary, oneLine: true);
        }
    }

    private string? VaultObject => Data["objectName"].Line(200) is { } name
        ? $"{Data["objectType"].Line(100) ?? "Object"} {name} in {Data["vaultName"].Line(200) ?? "the vault"}"
        : null;

    /// <summary>What the event is about comes first: its data must not replace that.</summary>
    public LabelSet Labels
    {
        get
        {
            var about = LabelSet.ForLabels().Add("type", Type).Add("source", Source).Add("subject", Subject);
            return DerivedLabels.AddTo(about, ResourceId.Parse(Resource) is { } id ? [id] : [])
                .Add("expiresAt", ExpiresAt)
                .AddAll(Data)
                .AddAll(Properties);
        }
    }

    public LabelSet Annotations => LabelSet.ForAnnotations().Add("eventId", post["id"]);

    /// <summary>Key Vault gives seconds since 1970.</summary>
    private string? ExpiresAt =>
        long.TryParse(Data["exp"].Line(20), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && seconds is > 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)
            : null;

    private static bool IsTime(string value) =>
        value.Contains('T', StringComparison.Ordinal) && DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _);

    private bool Ends(string type) => Type?.EndsWith($".{type}", StringComparison.OrdinalIgnoreCase) == true;

    private static bool Is(Payload word, string wanted) =>
        wanted.Equals(word.Line(AlertLimits.Name), StringComparison.OrdinalIgnoreCase);

    private static string? Id(Payload text) =>
        text.IsString
        && text.Line(AlertLimits.Resource + 1) is { Length: <= AlertLimits.Resource } id
        && id.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase)
            ? id
            : null;
}

/// <summary>
/// The question that Event Grid asks before it sends events in its own schema:
/// https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema.
/// </summary>
public static class EventGridSubscription
{
    /// <returns>The code that has to be sent back; null when the post does not ask.</returns>
    public static string? ValidationCode(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonBody.Open(utf8, out _);
        if (document is null)
        {
            return null;
        }

        var first = new Payload(document.RootElement).Items().FirstOrDefault();
        return ForeignPost.IsValidation(first) && first["data"]["validationCode"] is { IsString: true } code
            ? code.Line(AlertLimits.Fingerprint)
            : null;
    }
}
