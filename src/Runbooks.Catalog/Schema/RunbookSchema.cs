using System.Text.Json.Nodes;
using Runbooks.Catalog.Reading;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Schema;

/// <summary>
/// JSON Schema (draft 2020-12) for completion in editors. <see cref="RunbookReader"/> decides, because it has rules that a schema cannot
/// express.
/// </summary>
public sealed class RunbookSchema(StepCatalog steps)
{
    public JsonObject Create()
    {
        var schema = SchemaParts.Document("Runbook", "A runbook: trigger, impact, diagnosis, mitigation, resolution.", new()
        {
            ["id"] = new JsonObject
            {
                ["type"] = "string",
                ["pattern"] = "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$",
                ["description"] = $"Unique among all runbooks: {NameRules.IdFormat}.",
            },
            ["title"] = SchemaParts.Text("The name people see."),
            ["summary"] = SchemaParts.Text("What is broken, in one line."),
            ["owner"] = SchemaParts.Text("The team that keeps this runbook."),
            ["trigger"] = SchemaParts.List(Trigger(), "The runbook applies when one of these fires."),
            ["target"] = SchemaParts.Text("What one incident is about, as a template; alerts with the same target are one incident."),
            ["suppressedBy"] = SchemaParts.Mapping("While an incident of that runbook is open on that target, this one's waits and asks nobody.", new()
            {
                ["runbook"] = SchemaParts.Text("The id of the other runbook."),
                ["target"] = SchemaParts.Text("The target of the other incident, as a template over this one's alert."),
                ["atMost"] = SchemaParts.Duration("It waits no longer than (default 1h)"),
            }, "runbook", "target"),
            ["impact"] = Impact(),
            ["diagnosis"] = SchemaParts.Named(SchemaParts.Reference("check"), "The questions; all are asked at once."),
            ["mitigation"] = Mitigation(),
            ["resolution"] = SchemaParts.Mapping("Fix the cause, once the bleeding has stopped.", new()
            {
                ["approval"] = SchemaParts.Reference("approval"),
                ["steps"] = SchemaParts.Named(SchemaParts.Reference("step"), "Run one after the other."),
            }),
            ["limits"] = Limits(),
            ["reportTo"] = SchemaParts.TextList("Contacts who get a report of each incident when it has ended."),
            ["mode"] = SchemaParts.Choice<RunMode>("How far the runbook may go by itself."),
        }, "id", "title", "trigger", "target", "impact");
        schema["$defs"] = new JsonObject { ["check"] = Check(), ["step"] = Step(), ["approval"] = Approval() };
        LetSettingsStand(schema);
        return schema;
    }

    /// <summary>
    /// Allows a host's setting in place of every value, since it is filled in before the file is read. Not for the names of checks and
    /// actions, which decide the schema beside them. Parameters allow templates anyway.
    /// </summary>
    private static void LetSettingsStand(JsonNode? node)
    {
        if (node is not JsonObject schema)
        {
            return;
        }

        if (schema["type"] is JsonValue type && type.GetValue<string>() is "integer" or "boolean")
        {
            (schema["type"], schema["pattern"]) = (new JsonArray(schema["type"]!.DeepClone(), "string"), SchemaParts.TemplatePattern);
        }
        else if (schema["pattern"] is JsonValue pattern)
        {
            schema["pattern"] = $"({pattern.GetValue<string>()})|{SchemaParts.TemplatePattern}";
        }
        else if (schema["enum"] is JsonArray choices && !schema.ContainsKey("markdownEnumDescriptions"))
        {
            schema.Remove("type");
            schema.Remove("enum");
            schema["anyOf"] = new JsonArray(new JsonObject { ["enum"] = choices }, new JsonObject { ["type"] = "string", ["pattern"] = SchemaParts.TemplatePattern });
        }

        foreach (var below in (string[])["items", "additionalProperties"])
        {
            LetSettingsStand(schema[below]);
        }

        foreach (var named in (string[])["properties", "$defs"])
        {
            foreach (var (_, value) in schema[named] as JsonObject ?? [])
            {
                LetSettingsStand(value);
            }
        }
    }

    private static JsonObject Trigger() => SchemaParts.Mapping("Every given part has to match.", new()
    {
        ["source"] = SchemaParts.Choice(AlertSource.All, "Who sends it; any sender when left out."),
        ["alert"] = SchemaParts.Text("The rule's name, or a pattern with * and ?."),
        ["severity"] = SchemaParts.TextList("One of these, ignoring case; every severity when left out."),
        ["labels"] = new JsonObject
        {
            ["type"] = "object",
            ["description"] = "Each label's value, or a pattern with * and ?.",
            ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") },
        },
    }, "alert");

    private static JsonObject Impact() => SchemaParts.Mapping("What it means for people while it is broken.", new()
    {
        ["severity"] = SchemaParts.Choice<ImpactSeverity>("How bad it is."),
        ["users"] = SchemaParts.Text("What users notice."),
        ["data"] = SchemaParts.Text("What happens to data."),
    }, "severity", "users");

    private static JsonObject Approval() => SchemaParts.Mapping("Who is asked before the steps run; without it the runbook acts by itself.", new()
    {
        ["ask"] = SchemaParts.Text("The question on the card, as a template."),
        ["from"] = SchemaParts.TextList("Contacts that are asked and may decide; group:NAME for an Entra group of the contacts."),
        ["required"] = SchemaParts.Count(10, "How many people have to say yes. Default: 1."),
        ["separationOfDuties"] = SchemaParts.Flag("Whoever started the incident by hand may not be the only one to approve it."),
        ["ownerRequired"] = SchemaParts.Flag("Somebody of the runbook's owner has to be among those who say yes; the owner is then a contact."),
        ["remindAfter"] = SchemaParts.Duration("Ask again after"),
        ["escalate"] = SchemaParts.List(SchemaParts.Mapping("Ask more people.", new()
        {
            ["after"] = SchemaParts.Duration("Without a decision for"),
            ["to"] = SchemaParts.TextList("Contacts that are asked as well, and may decide."),
        }, "after", "to"), "Ask more people while nobody answers."),
        ["timeout"] = SchemaParts.Duration("The gate closes after (default 20m)"),
        ["onTimeout"] = SchemaParts.Choice<OnTimeout>("What happens then. Default: abort."),
    }, "ask", "from");

    private static JsonObject Mitigation() => SchemaParts.Mapping("Stop the bleeding.", new()
    {
        ["when"] = When(),
        ["needs"] = SchemaParts.TextList("Checks that have to pass for the steps to help, such as that the stand-in answers: while one does not, silence approves nothing."),
        ["approval"] = SchemaParts.Reference("approval"),
        ["steps"] = SchemaParts.Named(SchemaParts.Reference("step"), "Run one after the other."),
        ["verify"] = SchemaParts.Mapping("The checks that must pass before the fix counts.", new()
        {
            ["checks"] = SchemaParts.TextList("Default: the checks of 'when'."),
            ["every"] = SchemaParts.Duration("Pause between rounds (default 15s)"),
            ["within"] = SchemaParts.Duration("The fix has failed after (default 5m, and longer by as long as the checks look back)"),
            ["successThreshold"] = SchemaParts.Count(Verify.LargestSuccessThreshold, "So many rounds in a row have to pass. Default: 2."),
        }),
        ["holdUntil"] = SchemaParts.Mapping("The mitigation is temporary and is taken back when these checks pass.", new()
        {
            ["checks"] = SchemaParts.TextList("Default: the checks of 'when'."),
            ["stableFor"] = SchemaParts.Duration("They have to pass without a break for"),
            ["atMost"] = SchemaParts.Duration("A person is paged when they still fail after"),
            ["every"] = SchemaParts.Duration("Pause between rounds (default 30s)"),
        }, "stableFor", "atMost"),
    });

    private static JsonObject When()
    {
        var when = SchemaParts.Mapping("Which failing checks call for it; any check when left out.", new()
        {
            ["any"] = SchemaParts.TextList("One of these fails."),
            ["all"] = SchemaParts.TextList("All of these fail."),
        });
        (when["minProperties"], when["maxProperties"]) = (1, 1);
        return when;
    }

    private static JsonObject Limits() => SchemaParts.Mapping("How often the runbook may act.", new()
    {
        ["maxRuns"] = SchemaParts.Count(1_000, "Runs on one target within 'per'."),
        ["per"] = SchemaParts.Duration("The window that maxRuns and maxTargets count in (default 1h)"),
        ["coolDown"] = SchemaParts.Duration("Pause between two runs on one target"),
        ["settleFor"] = SchemaParts.Duration("After a verified fix, alerts on the target belong to the closed incident for"),
        ["healthyFor"] = SchemaParts.Duration("For so long the checks must see nothing to do before an incident ends as notNeeded (default 2m; 0 believes the first look)"),
        ["maxTargets"] = SchemaParts.CountOrPercent(10_000, "Distinct targets within 'per': a number, or a percentage of 'fleet'."),
        ["fleet"] = SchemaParts.Count(1_000_000, "How many targets there are, where 'maxTargets' is a percentage."),
        ["whenExceeded"] = SchemaParts.Choice(CamelCase.Choices(typeof(WhenExceeded)), "Ask a person (default), or forbid it whoever says yes."),
    });

    private JsonObject Check()
    {
        var unusual = steps.Checks
            .Where(check => check.UsualTimeout != CheckSpec.DefaultTimeout)
            .Select(check => $"; {check.Name} {DurationText.Format(check.UsualTimeout)}");
        var timeout = $"Unknown after (default {DurationText.Format(CheckSpec.DefaultTimeout)}{string.Concat(unusual)})";
        var known = steps.Checks.Select(check => (check.Name, check.Summary, check.ParametersType));
        return WithByName("check", known, SchemaParts.Mapping("A question.", new()
        {
            ["ask"] = SchemaParts.Text("The question in words."),
            ["check"] = SchemaParts.Choice([], "The check that answers it."),
            ["with"] = new JsonObject { ["type"] = "object", ["description"] = "The check's parameters." },
            ["timeout"] = SchemaParts.Duration(timeout),
        }, "ask", "check"));
    }

    private JsonObject Step() => WithByName("do", steps.Actions.Select(action => (action.Name, action.Summary, action.ParametersType)), SchemaParts.Mapping("A step.", new()
    {
        ["do"] = SchemaParts.Choice([], "The action."),
        ["with"] = new JsonObject { ["type"] = "object", ["description"] = "The action's parameters." },
        ["timeout"] = SchemaParts.Duration("The longest one attempt may take (default 5m); how long a person has (default 1h)"),
        ["retry"] = SchemaParts.Mapping("How a failed attempt is tried again.", new()
        {
            ["attempts"] = SchemaParts.Count(10, "All attempts, the first included. Default: 3."),
            ["delay"] = SchemaParts.Duration("Pause before the second attempt; later pauses double (default 5s)"),
        }),
    }, "do"));

    private static JsonObject WithByName(string key, IEnumerable<(string Name, string Summary, Type Parameters)> known, JsonObject mapping)
    {
        var sorted = known.OrderBy(item => item.Name, StringComparer.Ordinal).ToList();
        var choice = mapping["properties"]![key]!;
        choice["enum"] = SchemaParts.Strings(sorted.Select(item => item.Name));
        // Editors show these beside the names while completing.
        choice["markdownEnumDescriptions"] = SchemaParts.Strings(sorted.Select(item => item.Summary));
        mapping["allOf"] = new JsonArray([.. sorted.Select(item => Rule(key, item.Name, ParameterSchema.Of(item.Parameters)))]);
        return mapping;
    }

    private static JsonObject Rule(string key, string name, JsonObject with)
    {
        var then = new JsonObject { ["properties"] = new JsonObject { ["with"] = with } };
        if (with.ContainsKey("required"))
        {
            then["required"] = new JsonArray("with");
        }

        return new()
        {
            ["if"] = new JsonObject { ["properties"] = new JsonObject { [key] = new JsonObject { ["const"] = name } }, ["required"] = new JsonArray(key) },
            ["then"] = then,
        };
    }
}

/// <summary>JSON Schema of <c>team.yaml</c>. <see cref="TeamFile"/> decides.</summary>
public static class TeamSchema
{
    public static JsonObject Create() => SchemaParts.Document("Team", "Whose runbooks lie in this folder, and what they may do.", new()
    {
        ["name"] = new JsonObject
        {
            ["type"] = "string",
            ["pattern"] = $"^[a-z]([a-z0-9-]{{0,{Team.LongestName - 2}}}[a-z0-9])?$",
            ["description"] = "As the folder is called: lower-case letters, digits and dashes.",
        },
        ["owner"] = SchemaParts.Text("A contact, for runbooks here that name no owner."),
        ["actions"] = SchemaParts.TextList("What runbooks here may do: names of actions, or patterns such as kubernetes.*; everything when left out."),
    }, "name", "owner");
}
