namespace Runbooks.Integrations.Azure.AppConfiguration;

/// <summary>Key-values of Azure App Configuration, changed only where they are still what was read.</summary>
internal sealed class AppConfigurationClient(AzurePipelines pipelines, IOptions<AppConfigurationOptions> options) : ISettings
{
    public const string Role = "App Configuration Data Owner";
    private const string Scope = "https://appconfig.azure.com/.default";
    private const string Version = "2023-11-01";
    private const string Json = "application/vnd.microsoft.appconfig.kv+json";

    public SettingAddress Address(string? store, string key, string? label)
    {
        var (found, problem) = ConfiguredName.Find(
            store,
            options.Value.Default,
            options.Value.Stores,
            "App Configuration store",
            AppConfigurationOptions.SectionName,
            "Stores:{0}:Endpoint",
            "name a store in the step");
        return new SettingAddress(found ?? throw new StepRefusedException(problem!), key, label ?? "");
    }

    public HeldValue Held(SettingAddress address) =>
        new(
            $"'{address.Key}'{(address.Label.Length == 0 ? "" : $" (label {address.Label})")} in App Configuration '{address.Store}'",
            address.DisplayName);

    public async Task<Setting?> ReadAsync(SettingAddress address, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(address, Call(address, RequestMethod.Get, "read") with { Understood = [404] }, cancellationToken);
        return answer.Status == 404 ? null : Read(answer);
    }

    /// <seealso href="https://learn.microsoft.com/azure/azure-app-configuration/rest-api-key-value"/>
    public async Task<IReadOnlyList<string>> LabelsOfAsync(SettingAddress address, CancellationToken cancellationToken)
    {
        var uri = new Uri($"{Root(address)}/kv?key={Uri.EscapeDataString(address.Key)}&label=*&$select=key,label&api-version={Version}");
        var call = new AzureRequest(RequestMethod.Get, uri, $"look for {address.Name}", $"App Configuration '{address.Store}'", Role);
        using var json = JsonDocument.Parse((await SendAsync(address, call, cancellationToken)).Body);
        return [.. json.RootElement.GetProperty("items").EnumerateArray()
            .Where(item => Text(item, "key") == address.Key)
            .Select(item => Text(item, "label") ?? "")];
    }

    public async Task<bool> WriteAsync(
        SettingAddress address, string value, string? contentType, Setting? expected, CancellationToken cancellationToken)
    {
        var call = Call(address, RequestMethod.Put, "set") with
        {
            // A PUT replaces the whole key and drops what it leaves out.
            Body = BinaryData.FromObjectAsJson(
                new { value, content_type = contentType, tags = expected?.Tags ?? new Dictionary<string, string>() }),
            ContentType = Json,
            IfMatch = expected?.ETag,
            IfNoneMatch = expected is null ? "*" : null,
            Understood = [409, 412],
        };
        return Changed(address, await SendAsync(address, call, cancellationToken));
    }

    public async Task<bool> DeleteAsync(SettingAddress address, Setting expected, CancellationToken cancellationToken)
    {
        var call = Call(address, RequestMethod.Delete, "delete") with { IfMatch = expected.ETag, Understood = [409, 412] };
        return Changed(address, await SendAsync(address, call, cancellationToken));
    }

    private static bool Changed(SettingAddress address, AzureResponse answer) => answer.Status == 409
        ? throw new StepRefusedException(LockedWords(address)) { NothingDone = true }
        : answer.Status != 412;

    public static string LockedWords(SettingAddress address) =>
        $"{new HeldValue(address.DisplayName).Start} is locked. Nothing was changed; unlock it, or change it by hand.";

    private string Root(SettingAddress address) => options.Value.Stores[address.Store].Endpoint.TrimEnd('/');

    private AzureRequest Call(SettingAddress address, RequestMethod method, string verb)
    {
        var uri = new Uri(
            $"{Root(address)}/kv/{Uri.EscapeDataString(address.Key)}?label={Uri.EscapeDataString(address.Label)}&api-version={Version}");
        return new AzureRequest(method, uri, $"{verb} {address.Name}", $"App Configuration '{address.Store}'", Role) { Accept = Json };
    }

    private Task<AzureResponse> SendAsync(SettingAddress address, AzureRequest call, CancellationToken cancellationToken) =>
        pipelines.To(new Uri(options.Value.Stores[address.Store].Endpoint), Scope).SendAsync(call, cancellationToken);

    private static Setting Read(AzureResponse answer)
    {
        using var json = JsonDocument.Parse(answer.Body);
        var setting = json.RootElement;
        return new Setting(Text(setting, "value") ?? "", Text(setting, "content_type"), answer.ETag ?? $"\"{Text(setting, "etag")}\"")
        {
            IsLocked = setting.TryGetProperty("locked", out var locked) && locked.ValueKind == JsonValueKind.True,
            Tags = setting.TryGetProperty("tags", out var tags) ? tags.Deserialize<Dictionary<string, string>>() : null,
        };
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var text) ? text.GetString() : null;
}

/// <summary>Small texts that are changed only where they are still what was read.</summary>
internal interface ISettings
{
    HeldValue Held(SettingAddress address);

    Task<Setting?> ReadAsync(SettingAddress address, CancellationToken cancellationToken);

    /// <param name="expected">What was read; null when there was nothing. Its other parts, such as tags, stay.</param>
    /// <returns>False: it has been changed since.</returns>
    Task<bool> WriteAsync(
        SettingAddress address, string value, string? contentType, Setting? expected, CancellationToken cancellationToken);

    /// <inheritdoc cref="WriteAsync"/>
    Task<bool> DeleteAsync(SettingAddress address, Setting expected, CancellationToken cancellationToken);
}

internal sealed record SettingAddress(string Store, string Key, string Label)
{
    private const string FlagPrefix = ".appconfig.featureflag/";

    public static string KeyOfFlag(string flag) => FlagPrefix + flag;

    public string DisplayName => $"{Name}{(Label.Length == 0 ? "" : $" (label {Label})")} in App Configuration '{Store}'";

    public string Name =>
        Key.StartsWith(FlagPrefix, StringComparison.Ordinal) ? $"the feature flag {Key[FlagPrefix.Length..]}" : $"'{Key}'";
}

/// <param name="ETag">With its quotes.</param>
internal sealed record Setting(string Value, string? ContentType, string ETag)
{
    public bool IsLocked { get; init; }

    /// <summary>Pipelines and filters choose by them; null where there are none.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; }
}

internal sealed record SettingChange(SettingAddress Address, string? Before, string? BeforeType, string After, string? AfterType)
{
    public JsonElement ToState() => JsonSerializer.SerializeToElement(this);

    public static SettingChange From(JsonElement state) =>
        state.Deserialize<SettingChange>() ?? throw new StepRefusedException("What is needed to undo this step was not recorded.");

    /// <summary>Sets the new value, unless it is there already or somebody changed the old one.</summary>
    /// <returns>False: it was there already.</returns>
    public Task<bool> ApplyAsync(ISettings settings, HeldValues held, StepContext context, CancellationToken cancellationToken) =>
        held.HoldAsync(
            settings.Held(Address),
            new HeldText(Before, BeforeType),
            new HeldText(After, After == Before ? BeforeType : AfterType),
            () => PutAsync(settings, cancellationToken),
            context,
            cancellationToken);

    private async Task<bool> PutAsync(ISettings settings, CancellationToken cancellationToken)
    {
        var value = settings.Held(Address);
        var now = await settings.ReadAsync(Address, cancellationToken);
        if (now?.Value == After)
        {
            return false;
        }

        if (now?.Value != Before)
        {
            throw new StepRefusedException($"{value.Start} was changed by somebody else in the "
                + "meantime. Nothing was overwritten.") { NothingDone = true };
        }

        if (!await settings.WriteAsync(Address, After, AfterType, now, cancellationToken)
            && !await IsThereAsync(settings, cancellationToken))
        {
            throw NotWritten(value);
        }

        return true;
    }

    // A request whose answer was lost may have been sent again, and finds its own change.
    private async Task<bool> IsThereAsync(ISettings settings, CancellationToken cancellationToken) =>
        (await settings.ReadAsync(Address, cancellationToken))?.Value == After;

    /// <summary>Restores the old value, unless another incident holds it or somebody has changed it since.</summary>
    public Task<ActionResult> UndoAsync(ISettings settings, HeldValues held, StepContext context, CancellationToken cancellationToken)
    {
        var value = settings.Held(Address);
        return held.ReleaseAsync(
            value, new HeldText(Before, BeforeType),
            () => settings.ReadAsync(Address, cancellationToken),
            (text, now) => text.Value == now?.Value,
            (before, now) => (this with { Before = before.Value, BeforeType = before.Type }).TakeBackAsync(settings, value, now, cancellationToken),
            context, cancellationToken);
    }

    private async Task<string> TakeBackAsync(ISettings settings, HeldValue value, Setting? now, CancellationToken cancellationToken)
    {
        if (now?.Value == Before)
        {
            return $"{value.Start} is as it was before.";
        }

        if (now?.Value != After)
        {
            throw new ChangedSinceException($"{value.Start} was changed by somebody else since, so it was left alone. "
                + $"Its value before this incident: {Before ?? "none"}");
        }

        var undone = Before is null
            ? await settings.DeleteAsync(Address, now, cancellationToken)
            : await settings.WriteAsync(Address, Before, BeforeType, now, cancellationToken);
        return undone
            ? Before is null ? $"Removed {value.DisplayName} again." : $"Brought {value.DisplayName} back to its previous value."
            : throw NotWritten(value);
    }

    // The value was as expected, so something else of the key changed in between, and the next attempt may succeed.
    private static AzureRequestException NotWritten(HeldValue value) =>
        new($"{value.Start} was changed by somebody else at this moment. Nothing was written.") { NothingDone = true };
}

internal sealed record HeldText(string? Value, string? Type);

/// <summary>Section <c>AppConfiguration</c>.</summary>
public sealed class AppConfigurationOptions : IValidatableObject
{
    public const string SectionName = "AppConfiguration";

    /// <summary>The store of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, AppConfigurationStore> Stores { get; } = new Dictionary<string, AppConfigurationStore>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Stores", Default, Stores),
        .. Stores.SelectMany(
            store => HttpsUrl.Problems($"{SectionName}:Stores:{store.Key}:Endpoint", store.Value.Endpoint, "https://{store}.azconfig.io")),
    ];
}

public sealed class AppConfigurationStore
{
    /// <summary><c>https://{store}.azconfig.io</c></summary>
    public string Endpoint { get; set; } = "";
}
