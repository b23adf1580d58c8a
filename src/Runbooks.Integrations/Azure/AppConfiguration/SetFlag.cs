namespace Runbooks.Integrations.Azure.AppConfiguration;

internal sealed class SetFlag(AppConfigurationClient client, HeldValues held)
    : RunbookAction<SetFlagParameters>("appConfiguration.setFlag", "Switches a feature flag of Azure App Configuration on or off.")
{
    private const string ContentType = "application/vnd.microsoft.appconfig.ff+json;charset=utf-8";

    public override string Role => AppConfigurationClient.Role;

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(
        SetFlagParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var address = client.Address(parameters.Store, SettingAddress.KeyOfFlag(parameters.Flag), parameters.Label);
        var now = await client.ReadAsync(address, cancellationToken);
        var flag = now is null ? New(parameters.Flag) : Parse(now, parameters.Flag);
        var before = now is null ? "it does not exist yet" : $"now {Word(IsOn(flag))}";
        // A flag that is already right keeps its exact text.
        var after = flag is null || (now is not null && IsOn(flag) == parameters.Enabled) ? now!.Value : With(flag, parameters.Enabled);

        return new Preparation
        {
            PlannedEffect = $"Switch the feature flag {Named(parameters)} {Word(parameters.Enabled)} "
                + $"in App Configuration '{address.Store}' ({before})"
                + (parameters.Enabled && HasFilters(flag) ? "; it has filters, so it is on only for those they match." : "."),
            // Without its version: an edited description, or the same text written again, makes no other plan. The store may come from
            // the settings.
            Identity = $"{address.DisplayName}: {(now is null ? "absent" : $"{Word(IsOn(flag))}{(HasFilters(flag) ? " with filters" : "")}")}",
            IsSo = now is not null && flag is not null && IsOn(flag) == parameters.Enabled,
            Undo = now is null ? "Remove the flag again." : $"Switch it back {Word(IsOn(flag))}.",
            UndoState = new SettingChange(address, now?.Value, now?.ContentType, after, now?.ContentType ?? ContentType).ToState(),
            Refusal = flag is null ? $"What is stored as {address.DisplayName} is not a feature flag."
                : now is null ? await UnreadAsync(parameters, address, cancellationToken)
                : now.IsLocked && after != now.Value ? AppConfigurationClient.LockedWords(address)
                : null,
        };
    }

    /// <summary>A flag under a name or a label that no application reads would change nothing, and would be called done.</summary>
    private async Task<string?> UnreadAsync(SetFlagParameters parameters, SettingAddress address, CancellationToken cancellationToken)
    {
        var labels = (await client.LabelsOfAsync(address, cancellationToken))
            .Select(label => label.Length == 0 ? "no label" : $"the label {label}")
            .ToList();
        var none = $"There is no feature flag {Named(parameters)} in App Configuration '{address.Store}'.";
        if (labels.Count > 0)
        {
            var orWithout = labels.Contains("no label") ? ", or leave it out for the one without a label" : "";
            return $"{none} It exists with {string.Join(", ", labels)}: say in 'label' which one is meant{orWithout}.";
        }

        var andLabel = address.Label.Length == 0 ? "" : " and label";
        return parameters.Create
            ? null
            : $"{none} Make it there, or say 'create: true' where an application reads it under this name{andLabel}.";
    }

    private static string Named(SetFlagParameters parameters) =>
        string.IsNullOrEmpty(parameters.Label) ? parameters.Flag : $"{parameters.Flag} (label {parameters.Label})";

    protected override async Task<ActionResult> ApplyAsync(
        SetFlagParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var change = SettingChange.From(preparation.UndoState!.Value);
        return await change.ApplyAsync(client, held, context, cancellationToken)
            ? new ActionResult($"Switched the feature flag {Named(parameters)} {Word(parameters.Enabled)} "
                + $"in App Configuration '{change.Address.Store}'.")
            : context.FoundSo($"The feature flag {Named(parameters)} was {Word(parameters.Enabled)}");
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        SettingChange.From(undoState).UndoAsync(client, held, context, cancellationToken);

    private static JsonObject? Parse(Setting setting, string name) =>
        JsonAnswer.Parse(setting.Value) is JsonObject flag && JsonAnswer.Text(flag["id"]) == name ? flag : null;

    private static JsonObject New(string name) => new()
    {
        ["id"] = name,
        ["description"] = "",
        ["enabled"] = false,
        ["conditions"] = new JsonObject { ["client_filters"] = new JsonArray() },
    };

    private static string With(JsonObject flag, bool enabled)
    {
        var changed = flag.DeepClone().AsObject();
        changed["enabled"] = enabled;
        return changed.ToJsonString();
    }

    private static bool IsOn(JsonObject? flag) => JsonAnswer.Flag(flag?["enabled"]) == true;

    private static bool HasFilters(JsonObject? flag) =>
        flag?["conditions"] is JsonObject conditions && conditions["client_filters"] is JsonArray { Count: > 0 };

    private static string Word(bool on) => on ? "on" : "off";
}

public sealed record SetFlagParameters
{
    [Required, PlainName(100)]
    [Description("The feature flag.")]
    public required string Flag { get; init; }

    [Description("Whether to switch it on or off.")]
    public bool Enabled { get; init; } = true;

    [Description("Whether to make the flag where there is none of that name under any label. "
        + "The step is refused where the flag is missing and this is left out, or where it exists under other labels only: "
        + "the application may read another one.")]
    public bool Create { get; init; }

    [MaxLength(100)]
    [Description("The label of the flag; none when left out.")]
    public string? Label { get; init; }

    [MaxLength(100)]
    [Description("The configured App Configuration store; the default one when left out.")]
    public string? Store { get; init; }
}
