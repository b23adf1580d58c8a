using System.Text.Json.Serialization;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;

namespace Runbooks.Web.Intake;

/// <param name="Errors">Alerts of the same post that could not be understood; left out when there are none.</param>
internal sealed record IntakeAnswer(
    IReadOnlyList<IntakeOutcome> Incidents,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<AlertError>? Errors);
