using System.Buffers;
using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Runbooks.Catalog.Parameters;

/// <summary>
/// What a parameter's text must look like after substitution; in a list, every item. Attackers can influence alerts, so a rule says what is
/// allowed, not what is forbidden.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public abstract class ParameterRuleAttribute : ValidationAttribute
{
    /// <summary>Completes the sentences "'x' is not …" and "Write …".</summary>
    public abstract string Expected { get; }

    protected abstract bool Accepts(string value);

    public sealed override bool IsValid(object? value) => value switch
    {
        null => true,
        string text => Accepts(text),
        IEnumerable items => items.Cast<object?>().All(IsValid),
        _ => true,
    };

    public override string FormatErrorMessage(string name) => $"is not {Expected}.";
}

/// <summary>
/// An error that does not depend on placeholders, such as one about keys. Any other result counts as dependent on the members that it
/// names.
/// </summary>
public sealed class AnyValueResult(string message, string member) : ValidationResult(message, [member]);

/// <summary>Of one type, for example <c>Microsoft.Network/trafficManagerProfiles</c>, or of any.</summary>
public sealed class ArmResourceIdAttribute(string? resourceType = null) : ParameterRuleAttribute, IInsertRule
{
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.()~");

    public override string Expected => resourceType is null
        ? "an Azure resource id such as /subscriptions/…/resourceGroups/…/providers/…"
        : $"the Azure resource id of a {resourceType}: /subscriptions/…/resourceGroups/…/providers/{resourceType}/…";

    /// <summary>A complete id is checked as a whole. Inside an id, a slash would name another resource.</summary>
    string? IInsertRule.Refuse(string before, string value) =>
        before.Length > 0 && value.Contains('/') ? "may not be put into a resource id: it is to be one part of it, without a slash." : null;

    protected override bool Accepts(string value)
    {
        var parts = value.Split('/');
        // '' subscriptions {guid} resourceGroups {name} providers {namespace} {type} {name} [{type} {name} …]
        if (value.Length > 1024 || parts.Length < 9 || parts.Length % 2 == 0 || parts[0].Length > 0
            || parts.Skip(1).Any(part => part.Length == 0 || part is "." or ".." || part.AsSpan().ContainsAnyExcept(s_allowed))
            || !Is(parts[1], "subscriptions") || !Guid.TryParseExact(parts[2], "D", out _)
            || !Is(parts[3], "resourceGroups") || !Is(parts[5], "providers"))
        {
            return false;
        }

        var types = parts.Skip(7).Where((_, index) => index % 2 == 0).Prepend(parts[6]);
        return resourceType is null || Is(string.Join('/', types), resourceType);
    }

    private static bool Is(string written, string expected) => string.Equals(written, expected, StringComparison.OrdinalIgnoreCase);
}

/// <summary>An absolute http or https address without user name and password.</summary>
public sealed class HttpUrlAttribute : ParameterRuleAttribute, IInsertRule
{
    private static readonly SearchValues<char> s_inserted = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@");

    public override string Expected => "an http or https address without a user name in it, such as https://host/path";

    /// <summary>
    /// A complete address is checked as a whole. Inside an address, a value must not change the host, add to the path, begin a query or
    /// leave a folder.
    /// </summary>
    string? IInsertRule.Refuse(string before, string value)
    {
        if (before.Length == 0)
        {
            return null;
        }

        // After a part of the host's name, a dot would lead to another host.
        var host = before.Split("://", 2) is [_, var rest] && !rest.AsSpan().ContainsAny('/', '?', '#') ? rest : "";
        if (host.Length > 0 && !host.EndsWith('.') && value.AsSpan().ContainsAny('.', ':', '@'))
        {
            return "may not be put into an address behind a part of its host's name: with . : or @ in it, it would lead to another host.";
        }

        // A slash in a query is harmless, and model names contain one.
        var isQuery = before.Contains('?', StringComparison.Ordinal);
        var inserted = isQuery ? value.Replace("/", "", StringComparison.Ordinal) : value;
        if (inserted.AsSpan().ContainsAnyExcept(s_inserted))
        {
            return $"may not be put into an address: only ASCII letters, digits and - . _ ~ : @{(isQuery ? " /" : "")} are let in there.";
        }

        var isOnlyDots = !isQuery && inserted.All(character => character == '.');
        return isOnlyDots ? "may not be put into an address: it is empty or nothing but dots, and would lead to another path." : null;
    }

    protected override bool Accepts(string value) =>
        value.Length <= 2048
        && !value.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))
        && Uri.TryCreate(value, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address.Host.Length > 0
        && address.UserInfo.Length == 0;
}

/// <summary>An RFC 1123 label, or a subdomain if the kind allows dots (pods, nodes).</summary>
public sealed class KubernetesNameAttribute : ParameterRuleAttribute
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Labels joined by dots, up to 253 characters, instead of one label of up to 63.</summary>
    public bool Subdomain { get; init; }

    public override string Expected => Subdomain
        ? "a Kubernetes name: at most 253 lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit"
        : "a Kubernetes name: at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit";

    protected override bool Accepts(string value) =>
        Subdomain ? value.Length <= 253 && value.Split('.').All(IsLabel) : IsLabel(value) && value.Length <= 63;

    private static bool IsLabel(string value) =>
        value.Length > 0 && value[0] != '-' && value[^1] != '-' && !value.AsSpan().ContainsAnyExcept(s_allowed);
}

/// <summary>The usual form of names in Azure.</summary>
public sealed class PlainNameAttribute(int longest) : ParameterRuleAttribute
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public override string Expected =>
        $"a name of at most {longest} letters, digits, dots, dashes and underscores, beginning with a letter or digit";

    protected override bool Accepts(string value) =>
        value.Length > 0 && value.Length <= longest && char.IsAsciiLetterOrDigit(value[0]) && !value.AsSpan().ContainsAnyExcept(s_allowed);
}

/// <summary>The pattern has to match the whole text.</summary>
/// <param name="expected">See <see cref="ParameterRuleAttribute.Expected"/>.</param>
public sealed class TextPatternAttribute([StringSyntax(StringSyntaxAttribute.Regex)] string pattern, string expected) : ParameterRuleAttribute
{
    public const string Id = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
    public const string IdFormat = "a GUID such as 11111111-2222-3333-4444-555555555555";

    private readonly Regex _pattern = new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    public override string Expected => expected;

    protected override bool Accepts(string value) =>
        _pattern.Match(value) is { Success: true, Index: 0 } match && match.Length == value.Length;
}

/// <summary>
/// A text that only people read. The text in the file has to fit. Text from an alert never stops the run: it is cut, and an empty one
/// becomes a question mark.
/// </summary>
public sealed class ForPeopleAttribute(int longest) : ParameterRuleAttribute
{
    public bool OneLine { get; init; }

    public override string Expected => $"a text of at most {longest} characters{(OneLine ? " on one line" : "")}";

    internal string Fit(string filled)
    {
        var text = CleanText.Clean(OneLine ? filled.Trim() : filled, longest, OneLine);
        return string.IsNullOrWhiteSpace(text) ? "?" : text;
    }

    protected override bool Accepts(string value) =>
        OneLine ? value.Trim() is var line && line.Length <= longest && !line.Any(char.IsControl) : value.Length <= longest;
}

/// <summary>
/// The parameter names a text file in the runbook's folder or in its <c>samples/</c>. The file is part of the runbook's version; a step
/// reads it from <see cref="Steps.StepContext.Samples"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SampleFileAttribute : Attribute
{
    public const string Folder = "samples";
    public const int MaxCharacters = 64 * 1024;
    public const int MaxLines = 500;
}

/// <summary>The parameter names contacts. A team's own contacts come before the common ones.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ContactNameAttribute : Attribute
{
    /// <summary>Names from a template are skipped, since they are not known before an incident.</summary>
    internal static IEnumerable<(string Path, string Name)> NamesIn(JsonElement with, Type parameters)
    {
        foreach (var property in parameters.GetProperties())
        {
            var key = CamelCase.Of(property.Name);
            if (with.ValueKind != JsonValueKind.Object || !with.TryGetProperty(key, out var value))
            {
                continue;
            }

            var items = value.ValueKind == JsonValueKind.Array
                ? value.EnumerateArray().Select((item, at) => ($"{key}[{at}]", item))
                : [(key, value)];
            foreach (var (path, item) in items)
            {
                if (property.IsDefined(typeof(ContactNameAttribute)))
                {
                    if (item.ValueKind == JsonValueKind.String && item.GetString() is { } name && !Template.HasPlaceholder(name))
                    {
                        yield return (path, name);
                    }
                }
                else if (ParameterType.ListItem(property.PropertyType) is { } type && ParameterType.ShapeOf(type) == ParameterShape.Record)
                {
                    foreach (var (inner, name) in NamesIn(item, type))
                    {
                        yield return ($"{path}.{inner}", name);
                    }
                }
            }
        }
    }
}

/// <summary>The parameter's value never reaches history, timeline, logs, cards or pages.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class SecretAttribute : Attribute;
