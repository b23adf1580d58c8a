using System.Buffers;
using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Runbooks.Catalog.Parameters;

/// <summary>
/// What the text of a parameter must look like after substitution. Text from alerts is attacker-influenced, so a rule
/// says what is allowed, not what is forbidden. In a list every item has to follow it.
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
/// What is wrong whatever is filled in for placeholders, such as which keys there are. Any other result of a record's own rules is
/// taken to hang on the values of all the members that it names.
/// </summary>
public sealed class AnyValueResult(string message, string member) : ValidationResult(message, [member]);

/// <summary>An Azure resource id of one type, for example <c>Microsoft.Network/trafficManagerProfiles</c>; without a type, of any.</summary>
public sealed class ArmResourceIdAttribute(string? resourceType = null) : ParameterRuleAttribute, IInsertRule
{
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.()~");

    public override string Expected => resourceType is null
        ? "an Azure resource id such as /subscriptions/…/resourceGroups/…/providers/…"
        : $"the Azure resource id of a {resourceType}: /subscriptions/…/resourceGroups/…/providers/{resourceType}/…";

    /// <summary>An id that comes whole is looked at whole. Within one, a slash would name another resource than the author did.</summary>
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

/// <summary>An absolute http or https address without user name or password in it.</summary>
public sealed class HttpUrlAttribute : ParameterRuleAttribute, IInsertRule
{
    private static readonly SearchValues<char> s_inserted = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@");

    public override string Expected => "an http or https address without a user name in it, such as https://host/path";

    /// <summary>An address that comes whole is looked at whole. Within one, a value must not lead to another host, add to the path, begin a query, nor lead out of a folder.</summary>
    string? IInsertRule.Refuse(string before, string value)
    {
        if (before.Length == 0)
        {
            return null;
        }

        // Behind a part of the host's name, a dot would make the name another's.
        var host = before.Split("://", 2) is [_, var rest] && !rest.AsSpan().ContainsAny('/', '?', '#') ? rest : "";
        if (host.Length > 0 && !host.EndsWith('.') && value.AsSpan().ContainsAny('.', ':', '@'))
        {
            return "may not be put into an address behind a part of its host's name: with . : or @ in it, it would lead to another host.";
        }

        // A slash in a query leads nowhere, and names of models have one.
        var isQuery = before.Contains('?', StringComparison.Ordinal);
        var inserted = isQuery ? value.Replace("/", "", StringComparison.Ordinal) : value;
        return inserted.AsSpan().ContainsAnyExcept(s_inserted) ? $"may not be put into an address: only ASCII letters, digits and - . _ ~ : @{(isQuery ? " /" : "")} are let in there."
            : !isQuery && inserted.All(character => character == '.') ? "may not be put into an address: it is empty or nothing but dots, and would lead to another path."
            : null;
    }

    protected override bool Accepts(string value) =>
        value.Length <= 2048
        && !value.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))
        && Uri.TryCreate(value, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address.Host.Length > 0
        && address.UserInfo.Length == 0;
}

/// <summary>A name of a Kubernetes object: an RFC 1123 label, or a subdomain where the kind allows dots (pods, nodes).</summary>
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

/// <summary>A name as most of Azure's are.</summary>
public sealed class PlainNameAttribute(int longest) : ParameterRuleAttribute
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public override string Expected => $"a name of at most {longest} letters, digits, dots, dashes and underscores, beginning with a letter or digit";

    protected override bool Accepts(string value) =>
        value.Length > 0 && value.Length <= longest && char.IsAsciiLetterOrDigit(value[0]) && !value.AsSpan().ContainsAnyExcept(s_allowed);
}

/// <summary>A text that fits a pattern as a whole.</summary>
/// <param name="expected">See <see cref="ParameterRuleAttribute.Expected"/>.</param>
public sealed class TextPatternAttribute([StringSyntax(StringSyntaxAttribute.Regex)] string pattern, string expected) : ParameterRuleAttribute
{
    public const string Id = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
    public const string IdFormat = "a GUID such as 11111111-2222-3333-4444-555555555555";

    private readonly Regex _pattern = new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    public override string Expected => expected;

    protected override bool Accepts(string value) => _pattern.Match(value) is { Success: true, Index: 0 } match && match.Length == value.Length;
}

/// <summary>
/// A text that people read, and nothing else hangs on. What the file says has to fit. What an alert fills in never keeps a
/// runbook from being run: it is cut, and put on one line where it has to be one, and what is missing is a question mark.
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

    protected override bool Accepts(string value) => OneLine ? value.Trim() is var line && line.Length <= longest && !line.Any(char.IsControl) : value.Length <= longest;
}

/// <summary>
/// The text is a query (PromQL, KQL …) that the runbook's author wrote. Within quotes, a value that is inserted into it may only
/// hold letters, digits, blanks and <c>_ - . : / @</c>, so that no alert can end the string; outside of them it has to be one
/// number or name, since words and slashes are operators and comments there. So no alert can change the question.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class QueryTextAttribute : Attribute, IInsertRule
{
    private static readonly SearchValues<char> s_bare = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:");

    /// <summary>What begins a comment to the end of the line; null where the language has none.</summary>
    public string? Comment { get; init; }

    string? IInsertRule.Refuse(string before, string value) =>
        !value.All(character => char.IsLetterOrDigit(character) || character is ' ' or '_' or '-' or '.' or ':' or '/' or '@')
            ? "may not be put into a query: only letters, digits, blanks and _ - . : / @ are let in."
            : !QueryScan.EndsInside(before, Comment) && value.AsSpan(value.StartsWith('-') ? 1 : 0).ContainsAnyExcept(s_bare)
            ? "may not be put into a query outside quotes: only a number or a name of ASCII letters, digits and _ . : is let in there. Put quotes around the placeholder if a text is meant."
            : null;
}

/// <summary>Reads a query as its server does. In Kusto's <c>@"…"</c> and in backticks a backslash is one, and only what is in backticks goes on over lines.</summary>
internal static class QueryScan
{
    /// <returns>Each comment to the end of its line. A sign within quotes is none.</returns>
    public static IReadOnlyList<string> CommentsOf(string query, string sign) => Scan(query, sign).Comments;

    /// <summary>Whether what is written after this text is within quotes, or a comment.</summary>
    public static bool EndsInside(string text, string? sign) => Scan(text, sign).EndsInside;

    private static (bool EndsInside, IReadOnlyList<string> Comments) Scan(string text, string? sign)
    {
        var comments = new List<string>();
        char? quote = null;
        var (isRaw, isComment) = (false, false);
        for (var at = 0; at < text.Length; at++)
        {
            var character = text[at];
            if (quote is null && sign is not null && string.CompareOrdinal(text, at, sign, 0, sign.Length) == 0)
            {
                comments.Add(text[at..].Split('\n')[0]);
                at += comments[^1].Length - 1;
                isComment = at == text.Length - 1;
            }
            else if (character == '\\' && quote is not null && !isRaw)
            {
                at++;
            }
            else if (character == quote || (character == '\n' && quote != '`'))
            {
                quote = null;
            }
            else if (quote is null && character is '"' or '\'' or '`')
            {
                quote = character;
                isRaw = character == '`' || (at > 0 && text[at - 1] == '@');
            }
        }

        return (quote is not null || isComment, comments);
    }
}

/// <summary>
/// The parameter names a text file that stands beside the runbook, in its folder or in <c>samples/</c> there. The file is part
/// of the runbook's version; a step reads it from <see cref="Steps.StepContext.Samples"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SampleFileAttribute : Attribute
{
    public const string Folder = "samples";
    public const int MaxCharacters = 64 * 1024;
    public const int MaxLines = 500;
}

/// <summary>The parameter names contacts: a team's own come before those of everybody.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ContactNameAttribute : Attribute
{
    /// <summary>The contacts that parameters name, with their places; those that a template fills are not known before an incident.</summary>
    internal static IEnumerable<(string Path, string Name)> NamesIn(JsonElement with, Type parameters)
    {
        foreach (var property in parameters.GetProperties())
        {
            var key = CamelCase.Of(property.Name);
            if (with.ValueKind != JsonValueKind.Object || !with.TryGetProperty(key, out var value))
            {
                continue;
            }

            var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select((item, at) => ($"{key}[{at}]", item)) : [(key, value)];
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
