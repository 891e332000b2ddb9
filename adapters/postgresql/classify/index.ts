export { proposeClasses, type Proposal, type Proposals, type ProposeOptions } from './propose-classes.ts'
