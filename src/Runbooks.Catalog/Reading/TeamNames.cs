using System.Reflection;
using Runbooks.Catalog.Matching;

namespace Runbooks.Catalog.Reading;

/// <summary>
/// Replaces a team's contacts by their full names (<c>ml.oncall</c>) when the file is read, so that nothing else need know about teams.
/// </summary>
/// <param name="used">Receives each name with its replacement. Both are part of the runbook's version.</param>
internal sealed class TeamNames(Team team, StepCatalog steps, FileErrors errors, ISet<string> used)
{
    public YamlMapping Apply(YamlMapping root)
    {
        used.Add($"team={team.Name}");
        var entries = root.Entries.ToList();
        if (!entries.Exists(entry => entry.Key == "owner"))
        {
            used.Add($"owner={team.Owner}");
            entries.Add(new("owner", root.At, new YamlScalar(team.Owner, Plain: false, root.At)));
        }

        YamlNode named = root with { Entries = entries };
        foreach (var key in (string[])["owner", "reportTo"])
        {
            named = In(named, key, Names);
        }

        foreach (var phase in (string[])["mitigation", "resolution"])
        {
            named = In(named, phase, section => In(In(section, "approval", Approval), "steps", Steps));
        }

        return (YamlMapping)named;
    }

    public string Fallback => Name(Model.Definition.Approval.FallbackContact);

    public void CheckActions(Runbook runbook)
    {
        foreach (var (phase, step) in runbook.AllSteps().Where(one => steps.FindAction(one.Step.Do) is not null && !team.MayUse(one.Step.Do)))
        {
            errors.AtValue(
                $"{SafetyRules.PathOf(phase, step)}.do",
                $"is '{step.Do}', which runbooks of the team {team.Name} may not do.",
                $"They may do: {string.Join(", ", team.Actions)}. 'actions' in {team.File} says so.");
        }
    }

    private YamlNode Approval(YamlNode approval) =>
        In(In(approval, "from", Names), "escalate", list => Each(list, item => In(item, "to", Names)));

    private YamlNode Steps(YamlNode list) => list is YamlMapping all
        ? all with { Entries = [.. all.Entries.Select(step => step with { Value = Step(step.Value) })] }
        : list;

    private YamlNode Step(YamlNode step) =>
        step is YamlMapping mapping && mapping.Entries.FirstOrDefault(entry => entry.Key == "do")?.Value is YamlScalar { Value: var name } && steps.FindAction(name) is { } action
            ? In(step, "with", with => With(with, action.ParametersType))
            : step;

    private YamlNode With(YamlNode with, Type parameters)
    {
        foreach (var property in parameters.GetProperties())
        {
            var key = CamelCase.Of(property.Name);
            with = property.IsDefined(typeof(ContactNameAttribute)) ? In(with, key, Names)
                : property.PropertyType is { IsGenericType: true } list
                    && list.GenericTypeArguments[^1] is { IsClass: true } item
                    && item != typeof(string)
                ? In(with, key, node => Each(node, one => With(one, item)))
                : with;
        }

        return with;
    }

    private YamlNode Names(YamlNode node)
    {
        if (node is YamlScalar { IsNull: false } written && Template.HasPlaceholder(written.Value))
        {
            // Otherwise the alert would decide whether the team's contact or the common one is meant.
            errors.Add(
                node.At,
                "",
                $"'{Clip.To(written.Value, 80)}' stands where a contact is named, and runbooks of a team name contacts without "
                + "placeholders.",
                "Write the contact's name.");
        }

        return node switch
        {
            YamlScalar { IsNull: false } one => one with { Value = Name(one.Value) },
            YamlSequence => Each(node, Names),
            _ => node,
        };
    }

    private string Name(string written)
    {
        var meant = team.Meant(written);
        if (meant != written)
        {
            used.Add($"{written}={meant}");
        }

        return meant;
    }

    private static YamlNode Each(YamlNode node, Func<YamlNode, YamlNode> change) =>
        node is YamlSequence list ? list with { Items = [.. list.Items.Select(change)] } : node;

    private static YamlNode In(YamlNode node, string key, Func<YamlNode, YamlNode> change) => node is YamlMapping mapping
        ? mapping with { Entries = [.. mapping.Entries.Select(entry => entry.Key == key ? entry with { Value = change(entry.Value) } : entry)] }
        : node;
}

/// <summary>The team of a folder.</summary>
/// <param name="Owner">A contact, for runbooks that name no owner.</param>
/// <param name="Contacts">The names of the team's own contacts.</param>
/// <param name="Actions">The allowed actions as patterns. Empty for all.</param>
public sealed record Team(string Name, string Owner, IReadOnlyList<string> Contacts, IReadOnlyList<string> Actions)
{
    /// <summary>In characters. Messages show a contact with its team's name.</summary>
    public const int LongestName = 40;

    /// <summary>The file that lists the allowed actions.</summary>
    public required string File { get; init; }

    /// <summary>The team's own contact if it has one of that name.</summary>
    public string Meant(string contact)
    {
        var own = Contacts.FirstOrDefault(name => string.Equals(name, contact, StringComparison.OrdinalIgnoreCase));
        return own is null ? contact : Qualified(Name, own);
    }

    public static string Qualified(string team, string contact) => $"{team}.{contact}";

    public bool MayUse(string action) => Actions.Count == 0 || Actions.Any(pattern => Glob.IsMatch(pattern, action));
}
